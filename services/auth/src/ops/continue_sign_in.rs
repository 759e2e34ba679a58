//! Answering the challenge of a sign-in with a code of the second factor.

use kontor_postgres::retry;
use kontor_types::ids::UserId;
use secrecy::SecretString;
use sqlx::PgConnection;

use super::sessions::{self, Granted};
use super::sign_in::record_failure;
use super::{Auth, Error, RequestContext};
use crate::domain::account::Credentials;
use crate::domain::audit::Event;
use crate::domain::hash::SecretHash;
use crate::domain::session::Tokens;
use crate::domain::throttle::Bucket;
use crate::metrics::{self, SignInOutcome};
use crate::store;

/// A session, or why there is none. Either way the transaction was committed.
type Outcome = Result<Granted, Error>;

impl Auth {
    /// Opens the session. Codes are counted for the user, so that a new challenge gives no new tries.
    pub async fn continue_sign_in(
        &self,
        context: &RequestContext,
        challenge: &SecretString,
        code: &SecretString,
    ) -> Result<Tokens, Error> {
        let signed_in = self.check_code(context, challenge, code).await;
        metrics::sign_in_ended(match &signed_in {
            Ok(_) => SignInOutcome::SignedIn,
            Err(error) => SignInOutcome::Failed(error),
        });
        signed_in
    }

    async fn check_code(
        &self,
        context: &RequestContext,
        challenge: &SecretString,
        code: &SecretString,
    ) -> Result<Tokens, Error> {
        self.admit(&[Bucket::address(context.origin.address)]).await?;
        let challenge = SecretHash::of(challenge);
        let found = store::challenges::find(&mut *self.pool.acquire().await?, &challenge).await?;
        let open = found.filter(|(_, waiting)| waiting.is_open());
        let (user, _) = open.ok_or(Error::ChallengeInvalid)?;
        self.admit(&[Bucket::second_factor(user)]).await?;
        let outcome = retry("continue_sign_in", || self.continue_sign_in_once(context, user, &challenge, code)).await?;
        self.sign_tokens(outcome?)
    }

    /// Locks the user, so that answers are checked one after the other.
    async fn continue_sign_in_once(
        &self,
        context: &RequestContext,
        user: UserId,
        challenge: &SecretHash,
        code: &SecretString,
    ) -> Result<Outcome, Error> {
        let mut tx = self.pool.begin().await?;
        let now = store::users::lock_credentials(&mut tx, user).await?;
        let found = store::challenges::find(&mut tx, challenge).await?;
        let is_open = found.is_some_and(|(_, waiting)| waiting.is_open());
        let outcome = match now.filter(|now| is_open && now.has_second_factor) {
            None => Err(Error::ChallengeInvalid),
            Some(now) if now.is_suspended => Err(Error::Suspended),
            Some(now) => match self.use_code(&mut tx, &now, code).await? {
                Some(kind) => Ok(open(&mut tx, context, &now, challenge, kind).await?),
                None => {
                    store::challenges::set_wrong_code(&mut tx, challenge).await?;
                    record_failure(&mut tx, context, Some(user), "code").await?;
                    Err(Error::CodeInvalid)
                }
            },
        };
        tx.commit().await?;
        Ok(outcome)
    }
}

async fn open(
    tx: &mut PgConnection,
    context: &RequestContext,
    now: &Credentials,
    challenge: &SecretHash,
    kind: &str,
) -> Result<Granted, sqlx::Error> {
    store::challenges::delete(tx, challenge).await?;
    store::throttles::fill(tx, &Bucket::second_factor(now.user)).await?;
    store::throttles::fill(tx, &Bucket::password(&now.email.lower())).await?;
    let event = Event::new("user.signed_in", now.user).with("second_factor", kind);
    sessions::open(tx, context, now.user, event).await
}
