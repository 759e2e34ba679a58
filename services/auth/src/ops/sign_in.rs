//! Signing in with e-mail address and password.

use chrono::{DateTime, Utc};
use kontor_postgres::retry;
use kontor_types::ids::UserId;
use secrecy::SecretString;
use sqlx::PgConnection;

use super::sessions::{self, Granted};
use super::{Auth, Error, Tokens, Who};
use crate::domain::account::Credentials;
use crate::domain::audit::Event;
use crate::domain::hash::{SecretHash, random_secret};
use crate::domain::password;
use crate::domain::throttle::Bucket;
use crate::store;

/// What a right password leads to.
pub(crate) enum SignedIn {
    /// A session.
    Tokens(Tokens),
    /// The question for a code of the second factor.
    Challenge(Challenge),
}

/// Goes back with the code.
pub(crate) struct Challenge {
    pub(crate) token: SecretString,
    pub(crate) expire_time: DateTime<Utc>,
}

/// What a transaction has decided.
enum Outcome {
    Granted(Granted),
    Challenge(Challenge),
    Refused(Error),
}

/// Opens a session, or asks for a code. An unknown address costs the same work as a wrong password, and is answered alike.
pub(crate) async fn sign_in(auth: &Auth, who: &Who, email: &str, given: SecretString) -> Result<SignedIn, Error> {
    let place = auth.passwords.place()?;
    let email_lower = email.to_lowercase();
    auth.admit(&[Bucket::address(who.origin.address), Bucket::password(&email_lower)]).await?;
    let known = find(auth, &email_lower).await?;
    let hash = known.as_ref().map(|known| known.password_hash.clone());
    let matches = auth.passwords.matches(place, given.clone(), hash).await?;
    let outcome = match known.as_ref().filter(|_| matches) {
        Some(known) => retry("sign in", || try_open(auth, who, known, &given)).await?,
        None => retry("note a wrong password", || try_refuse(auth, who, known.as_ref())).await?,
    };
    match outcome {
        Outcome::Granted(granted) => Ok(SignedIn::Tokens(granted.into_tokens(auth)?)),
        Outcome::Challenge(challenge) => Ok(SignedIn::Challenge(challenge)),
        Outcome::Refused(error) => Err(error),
    }
}

/// On a connection that goes back before the hashing begins.
async fn find(auth: &Auth, email_lower: &str) -> Result<Option<Credentials>, Error> {
    let mut conn = auth.pool.acquire().await?;
    Ok(store::users::find_credentials(&mut conn, email_lower).await?)
}

async fn try_refuse(auth: &Auth, who: &Who, known: Option<&Credentials>) -> Result<Outcome, Error> {
    let mut conn = auth.pool.acquire().await?;
    write_failure(&mut conn, who, known.map(|known| known.user), "password").await?;
    Ok(Outcome::Refused(Error::CredentialsInvalid))
}

/// With the password shown to be right, unless it has been changed in the meantime.
async fn try_open(auth: &Auth, who: &Who, then: &Credentials, given: &SecretString) -> Result<Outcome, Error> {
    let mut tx = auth.pool.begin().await?;
    let now = store::users::lock_credentials(&mut tx, then.user).await?;
    let outcome = match now.filter(|now| now.has_password_of(then)) {
        None => Outcome::Refused(Error::CredentialsInvalid),
        Some(now) if now.is_suspended => {
            write_failure(&mut tx, who, Some(now.user), "suspended").await?;
            Outcome::Refused(Error::Suspended)
        }
        Some(now) if now.has_second_factor => Outcome::Challenge(ask(&mut tx, now.user).await?),
        Some(now) => open(&mut tx, who, &now, given).await?,
    };
    tx.commit().await?;
    Ok(outcome)
}

async fn ask(tx: &mut PgConnection, user: UserId) -> Result<Challenge, sqlx::Error> {
    let token = random_secret();
    let expire_time = store::challenges::insert(tx, user, &SecretHash::of(&token)).await?;
    Ok(Challenge { token, expire_time })
}

/// A short password was good with a second factor, which somebody else has taken away.
async fn open(tx: &mut PgConnection, who: &Who, now: &Credentials, given: &SecretString) -> Result<Outcome, Error> {
    if let Err(refusal) = password::check_length(given, false) {
        write_failure(tx, who, Some(now.user), "short_password").await?;
        return Ok(Outcome::Refused(refusal.into()));
    }
    store::throttles::fill(tx, &Bucket::password(&now.email.lower())).await?;
    let event = Event::new("user.signed_in", now.user);
    Ok(Outcome::Granted(sessions::open(tx, who, now.user, event).await?))
}

/// Writes down an attempt that failed, and at what.
pub(super) async fn write_failure(
    conn: &mut PgConnection,
    who: &Who,
    user: Option<UserId>,
    at: &str,
) -> Result<(), sqlx::Error> {
    let resource = user.map(|user| user.to_string()).unwrap_or_default();
    store::audit::insert(conn, who, &Event::new("user.sign_in_failed", resource).with("at", at)).await
}
