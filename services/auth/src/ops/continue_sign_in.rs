//! Answering the challenge of a sign-in with a code of the second factor.

use kontor_postgres::retry;
use kontor_types::ids::UserId;
use secrecy::SecretString;
use sqlx::PgConnection;

use super::second_factor_codes::use_up;
use super::sessions::{self, Granted};
use super::sign_in::write_failure;
use super::{Auth, Error, Tokens, Who};
use crate::domain::account::Credentials;
use crate::domain::audit::Event;
use crate::domain::hash::SecretHash;
use crate::domain::throttle::Bucket;
use crate::store;

/// What somebody answers.
struct Answer<'a> {
    challenge: SecretHash,
    code: &'a SecretString,
}

/// What a transaction has decided.
enum Outcome {
    Granted(Granted),
    Refused(Error),
}

/// Opens the session. Codes are counted for the user, so that a new challenge gives no new tries.
pub(crate) async fn continue_sign_in(
    auth: &Auth,
    who: &Who,
    challenge: &SecretString,
    code: &SecretString,
) -> Result<Tokens, Error> {
    auth.admit(&[Bucket::address(who.origin.address)]).await?;
    let answer = Answer { challenge: SecretHash::of(challenge), code };
    let user = find_user(auth, &answer.challenge).await?.ok_or(Error::ChallengeInvalid)?;
    auth.admit(&[Bucket::second_factor(user)]).await?;
    match retry("continue a sign-in", || try_continue(auth, who, user, &answer)).await? {
        Outcome::Granted(granted) => granted.into_tokens(auth),
        Outcome::Refused(error) => Err(error),
    }
}

/// The user of a challenge that is open.
async fn find_user(auth: &Auth, challenge: &SecretHash) -> Result<Option<UserId>, Error> {
    let mut conn = auth.pool.acquire().await?;
    let found = store::challenges::find(&mut conn, challenge).await?;
    Ok(found.filter(|(_, waiting)| waiting.is_open()).map(|(user, _)| user))
}

/// With the user locked, so that answers come one after the other.
async fn try_continue(auth: &Auth, who: &Who, user: UserId, answer: &Answer<'_>) -> Result<Outcome, Error> {
    let mut tx = auth.pool.begin().await?;
    let now = store::users::lock_credentials(&mut tx, user).await?;
    let found = store::challenges::find(&mut tx, &answer.challenge).await?;
    let is_open = found.is_some_and(|(_, waiting)| waiting.is_open());
    let outcome = match now.filter(|now| is_open && now.has_second_factor) {
        None => Outcome::Refused(Error::ChallengeInvalid),
        Some(now) if now.is_suspended => Outcome::Refused(Error::Suspended),
        Some(now) => match use_up(auth, &mut tx, &now, answer.code).await? {
            Some(kind) => Outcome::Granted(open(&mut tx, who, &now, (answer, kind)).await?),
            None => {
                store::challenges::set_wrong_code(&mut tx, &answer.challenge).await?;
                write_failure(&mut tx, who, Some(user), "code").await?;
                Outcome::Refused(Error::CodeInvalid)
            }
        },
    };
    tx.commit().await?;
    Ok(outcome)
}

async fn open(
    tx: &mut PgConnection,
    who: &Who,
    now: &Credentials,
    (answer, kind): (&Answer<'_>, &str),
) -> Result<Granted, sqlx::Error> {
    store::challenges::delete(tx, &answer.challenge).await?;
    store::throttles::fill(tx, &Bucket::second_factor(now.user)).await?;
    store::throttles::fill(tx, &Bucket::password(&now.email.lower())).await?;
    let event = Event::new("user.signed_in", now.user).with("second_factor", kind);
    sessions::open(tx, who, now.user, event).await
}
