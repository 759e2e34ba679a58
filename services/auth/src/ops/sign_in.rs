//! Signing in with e-mail address and password.

use kontor_postgres::retry;
use kontor_types::ids::UserId;
use secrecy::SecretString;
use sqlx::PgConnection;

use super::sessions::{self, Granted};
use super::{Auth, Error, RequestContext};
use crate::domain::account::Credentials;
use crate::domain::audit::Event;
use crate::domain::challenge::Challenge;
use crate::domain::email::Email;
use crate::domain::hash::{SecretHash, random_secret};
use crate::domain::password;
use crate::domain::session::Tokens;
use crate::domain::throttle::Bucket;
use crate::metrics::{self, SignInOutcome};
use crate::store;

/// What a correct password leads to.
pub(crate) enum SignedIn {
    Tokens(Tokens),
    /// The user must give a code of the second factor.
    Challenge(Challenge),
}

enum Outcome {
    Granted(Granted),
    Challenge(Challenge),
    Refused(Error),
}

impl Auth {
    /// Opens a session, or asks for a code. An unknown address takes the same work and gets the same answer as a wrong password.
    pub async fn sign_in(&self, context: &RequestContext, email: &str, given: SecretString) -> Result<SignedIn, Error> {
        let signed_in = self.check_password(context, email, given).await;
        metrics::sign_in_ended(match &signed_in {
            Ok(SignedIn::Tokens(_)) => SignInOutcome::SignedIn,
            Ok(SignedIn::Challenge(_)) => SignInOutcome::Challenged,
            Err(error) => SignInOutcome::Failed(error),
        });
        signed_in
    }

    async fn check_password(
        &self,
        context: &RequestContext,
        email: &str,
        given: SecretString,
    ) -> Result<SignedIn, Error> {
        let permit = self.passwords.acquire()?;
        let email_lower = Email::lookup_key(email);
        self.admit(&[Bucket::address(context.origin.address), Bucket::password(&email_lower)]).await?;
        // The connection returns to the pool before the hashing begins.
        let known = store::users::find_credentials(&mut *self.pool.acquire().await?, &email_lower).await?;
        let hash = known.as_ref().map(|known| known.password_hash.clone());
        let matches = self.passwords.matches(permit, given.clone(), hash).await?;
        let outcome = match known.as_ref().filter(|_| matches) {
            Some(known) => retry("sign_in", || self.sign_in_once(context, known, &given)).await?,
            None => retry("record_wrong_password", || self.record_wrong_password(context, known.as_ref())).await?,
        };
        match outcome {
            Outcome::Granted(granted) => Ok(SignedIn::Tokens(self.sign_tokens(granted)?)),
            Outcome::Challenge(challenge) => Ok(SignedIn::Challenge(challenge)),
            Outcome::Refused(error) => Err(error),
        }
    }

    async fn record_wrong_password(
        &self,
        context: &RequestContext,
        known: Option<&Credentials>,
    ) -> Result<Outcome, Error> {
        let mut conn = self.pool.acquire().await?;
        record_failure(&mut conn, context, known.map(|known| known.user), "password").await?;
        Ok(Outcome::Refused(Error::CredentialsInvalid))
    }

    /// After the password was found to be correct, unless it was changed in the meantime.
    async fn sign_in_once(
        &self,
        context: &RequestContext,
        then: &Credentials,
        given: &SecretString,
    ) -> Result<Outcome, Error> {
        let mut tx = self.pool.begin().await?;
        let now = store::users::lock_credentials(&mut tx, then.user).await?;
        let outcome = match now.filter(|now| now.has_password_of(then)) {
            None => Outcome::Refused(Error::CredentialsInvalid),
            Some(now) if now.is_suspended => {
                record_failure(&mut tx, context, Some(now.user), "suspended").await?;
                Outcome::Refused(Error::Suspended)
            }
            Some(now) if now.has_second_factor => Outcome::Challenge(challenge(&mut tx, now.user).await?),
            Some(now) => open(&mut tx, context, &now, given).await?,
        };
        tx.commit().await?;
        Ok(outcome)
    }
}

async fn challenge(tx: &mut PgConnection, user: UserId) -> Result<Challenge, sqlx::Error> {
    let token = random_secret();
    let expire_time = store::challenges::insert(tx, user, &SecretHash::of(&token)).await?;
    Ok(Challenge { token, expire_time })
}

/// Refuses a password that is too short without a second factor: an operator may have removed that.
async fn open(
    tx: &mut PgConnection,
    context: &RequestContext,
    now: &Credentials,
    given: &SecretString,
) -> Result<Outcome, Error> {
    if let Err(refusal) = password::check_length(given, false) {
        record_failure(tx, context, Some(now.user), "short_password").await?;
        return Ok(Outcome::Refused(Error::refused_password("password")(refusal)));
    }
    store::throttles::fill(tx, &Bucket::password(&now.email.lower())).await?;
    let event = Event::new("user.signed_in", now.user);
    Ok(Outcome::Granted(sessions::open(tx, context, now.user, event).await?))
}

/// Records a failed attempt, and the step that it failed at.
pub(super) async fn record_failure(
    conn: &mut PgConnection,
    context: &RequestContext,
    user: Option<UserId>,
    at: &str,
) -> Result<(), sqlx::Error> {
    let resource = user.map(|user| user.to_string()).unwrap_or_default();
    store::audit::insert(conn, context, &Event::new("user.sign_in_failed", resource).with("at", at)).await
}
