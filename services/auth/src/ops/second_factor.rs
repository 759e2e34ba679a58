//! Adding an authenticator to an account, and its recovery codes.

use kontor_postgres::retry;
use secrecy::{ExposeSecret, SecretString};
use sqlx::PgConnection;

use super::second_factor_codes::use_up_totp;
use super::{Auth, Error, Who, own_password};
use crate::domain::account::Credentials;
use crate::domain::audit::Event;
use crate::domain::second_factor::{Enrollment, SecondFactor, State};
use crate::domain::throttle::Bucket;
use crate::domain::totp::{self, Authenticator};
use crate::domain::{mail, recovery_code};
use crate::store;

/// There is nothing to be done with.
pub(super) const ABSENT: Error = Error::SecondFactorState("there is none");
const ACTIVE: Error = Error::SecondFactorState("there is one already; take it away first");
const NOT_BEGUN: Error =
    Error::SecondFactorState("nothing waits for a first code; begin to add an authenticator first");

/// The second factor of a user: oneself, or others with the permission.
pub(crate) async fn get(auth: &Auth, who: &Who, name: &str) -> Result<SecondFactor, Error> {
    let not_found = || Error::NotFound(name.to_owned());
    let user = who.reach(name.trim_end_matches("/secondFactor"), "user.read").map_err(|_| not_found())?;
    let mut conn = auth.pool.acquire().await?;
    store::users::get_credentials(&mut conn, user).await?.ok_or_else(not_found)?;
    let state = match store::authenticators::find(&mut conn, user).await? {
        None => State::Absent,
        Some(kept) => kept.confirm_time.map_or(State::Pending, State::Active),
    };
    let recovery_codes_left = store::recovery_codes::count_left(&mut conn, user).await?;
    Ok(SecondFactor { user, state, recovery_codes_left })
}

/// Begins to add an authenticator.
pub(crate) async fn enroll(auth: &Auth, who: &Who, parent: &str, given: SecretString) -> Result<Enrollment, Error> {
    let own = own_password::confirm(auth, who, parent, given).await?;
    let secret = totp::generate();
    let sealed = auth.kek.seal(&totp::place(own.user), secret.expose_secret())?;
    let begun = retry("begin a second factor", || try_begin(auth, &own, &sealed)).await?;
    let authenticator = Authenticator::new(&secret, &own.email)?;
    if begun { Ok(Enrollment { secret: authenticator.secret(), uri: authenticator.uri()? }) } else { Err(ACTIVE) }
}

async fn try_begin(auth: &Auth, own: &Credentials, sealed: &[u8]) -> Result<bool, Error> {
    let mut tx = auth.pool.begin().await?;
    own_password::lock(&mut tx, own).await?;
    let begun = store::authenticators::begin(&mut tx, own.user, sealed).await?;
    tx.commit().await?;
    Ok(begun)
}

/// Ends the beginning with a first code, and answers the recovery codes.
pub(crate) async fn confirm(
    auth: &Auth,
    who: &Who,
    parent: &str,
    code: &SecretString,
) -> Result<Vec<SecretString>, Error> {
    let user = who.myself(parent)?;
    auth.admit(&[Bucket::address(who.origin.address), Bucket::second_factor(user)]).await?;
    let codes = recovery_code::generate();
    let done = retry("confirm a second factor", || try_confirm(auth, who, code, &codes)).await?;
    if !done {
        return Err(Error::CodeInvalid);
    }
    auth.mail_queued.notify_one();
    Ok(codes)
}

async fn try_confirm(auth: &Auth, who: &Who, code: &SecretString, codes: &[SecretString]) -> Result<bool, Error> {
    let mut tx = auth.pool.begin().await?;
    let user = who.myself("users/me")?;
    let own = store::users::lock_credentials(&mut tx, user).await?.ok_or(Error::NotSignedIn)?;
    let begun = store::authenticators::find(&mut tx, user).await?.ok_or(NOT_BEGUN)?;
    if begun.confirm_time.is_some() {
        return Err(ACTIVE);
    }
    if !use_up_totp(auth, &mut tx, &own, code).await? {
        return Ok(false);
    }
    store::authenticators::set_confirmed(&mut tx, user).await?;
    give_codes(&mut tx, &own, codes).await?;
    store::audit::insert(&mut tx, who, &Event::new("second_factor.added", user)).await?;
    store::mails::insert(&mut tx, &mail::second_factor_added(&own.email)).await?;
    tx.commit().await?;
    Ok(true)
}

/// Whoever gets new codes has just shown a good one.
async fn give_codes(tx: &mut PgConnection, own: &Credentials, codes: &[SecretString]) -> Result<(), sqlx::Error> {
    let hashes: Vec<_> = codes.iter().map(recovery_code::hash).collect();
    store::recovery_codes::replace(tx, own.user, &hashes).await?;
    store::throttles::fill(tx, &Bucket::second_factor(own.user)).await
}

/// Replaces the recovery codes.
pub(crate) async fn regenerate(
    auth: &Auth,
    who: &Who,
    parent: &str,
    (given, code): (SecretString, &SecretString),
) -> Result<Vec<SecretString>, Error> {
    let own = own_password::confirm(auth, who, parent, given).await?;
    auth.admit(&[Bucket::second_factor(own.user)]).await?;
    let codes = recovery_code::generate();
    let done = retry("replace recovery codes", || try_regenerate(auth, who, (&own, code), &codes)).await?;
    if done { Ok(codes) } else { Err(Error::CodeInvalid) }
}

async fn try_regenerate(
    auth: &Auth,
    who: &Who,
    (own, code): (&Credentials, &SecretString),
    codes: &[SecretString],
) -> Result<bool, Error> {
    let mut tx = auth.pool.begin().await?;
    let now = lock_active(&mut tx, own).await?;
    if !use_up_totp(auth, &mut tx, &now, code).await? {
        return Ok(false);
    }
    give_codes(&mut tx, &now, codes).await?;
    store::audit::insert(&mut tx, who, &Event::new("second_factor.recovery_codes_replaced", now.user)).await?;
    tx.commit().await?;
    Ok(true)
}

/// Oneself, locked, with a second factor.
pub(super) async fn lock_active(tx: &mut PgConnection, own: &Credentials) -> Result<Credentials, Error> {
    let now = own_password::lock(tx, own).await?;
    if now.has_second_factor { Ok(now) } else { Err(ABSENT) }
}
