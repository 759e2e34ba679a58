//! Lost passwords: a mailed code sets a new one. Whether an address has an account shows in the mail only.

use chrono::{DateTime, Utc};
use kontor_postgres::retry;
use kontor_types::ids::{PasswordResetId, UserId};
use secrecy::SecretString;
use sqlx::PgConnection;

use super::change_password::{NewPassword, set};
use super::{Auth, Error, Who};
use crate::domain::account::Credentials;
use crate::domain::audit::Event;
use crate::domain::code::{self, Verdict};
use crate::domain::email::Email;
use crate::domain::hash::SecretHash;
use crate::domain::mail;
use crate::domain::throttle::Bucket;
use crate::store;

/// Mails a code, and answers when it expires. An address without account is answered alike, after the same work.
pub(crate) async fn request(auth: &Auth, who: &Who, email: &Email) -> Result<(PasswordResetId, DateTime<Utc>), Error> {
    auth.admit(&[Bucket::address(who.origin.address), Bucket::mail(&email.lower())]).await?;
    let (id, code) = (PasswordResetId::generate(), code::generate());
    let expire_time = retry("request a password reset", || try_request(auth, email, (id, &code))).await?;
    auth.mail_queued.notify_one();
    Ok((id, expire_time))
}

async fn try_request(
    auth: &Auth,
    email: &Email,
    (id, code): (PasswordResetId, &SecretString),
) -> Result<DateTime<Utc>, Error> {
    let mut tx = auth.pool.begin().await?;
    let known = store::users::find_credentials(&mut tx, &email.lower()).await?;
    // Without a user the same statements run, and find nothing.
    let user = known.as_ref().map(|known| known.user);
    store::users::lock_credentials(&mut tx, user.unwrap_or_else(UserId::generate)).await?;
    store::password_resets::delete_all(&mut tx, user).await?;
    let expire_time = store::password_resets::insert(&mut tx, id, user, &code::hash(id, code)).await?;
    // To the address as its owner gave it: the one asked for may only look the same.
    let to = known.as_ref().map_or(email, |known| &known.email);
    store::mails::insert_if(&mut tx, known.is_some(), &mail::password_reset_code(to, code)).await?;
    tx.commit().await?;
    Ok(expire_time)
}

/// Sets a new password, and ends all sessions. A refused password leaves the code good.
pub(crate) async fn confirm(
    auth: &Auth,
    who: &Who,
    id: PasswordResetId,
    (code, new): (&SecretString, SecretString),
) -> Result<(), Error> {
    auth.admit(&[Bucket::address(who.origin.address)]).await?;
    let given = code::hash(id, code);
    let user = retry("look at a code", || try_look(auth, id, &given)).await?.ok_or(Error::CodeInvalid)?;
    let new = NewPassword::new(auth, &user, new).await?;
    retry("reset a password", || try_reset(auth, who, (id, &given, user.user), &new)).await?;
    auth.revoked.notify_waiters();
    auth.mail_queued.notify_one();
    Ok(())
}

/// The user whose password a code resets. None if it is not good; that it was tried is committed.
async fn try_look(auth: &Auth, id: PasswordResetId, given: &SecretHash) -> Result<Option<Credentials>, Error> {
    let mut tx = auth.pool.begin().await?;
    let Some(user) = judge(&mut tx, id, given).await? else {
        tx.commit().await?;
        return Ok(None);
    };
    Ok(store::users::get_credentials(&mut tx, user).await?)
}

/// The user, if the code is good. A wrong one is counted.
async fn judge(tx: &mut PgConnection, id: PasswordResetId, given: &SecretHash) -> Result<Option<UserId>, sqlx::Error> {
    let Some(reset) = store::password_resets::lock(tx, id).await? else { return Ok(None) };
    match reset.waiting.judge(given) {
        Verdict::Right => Ok(reset.user),
        Verdict::Wrong => store::password_resets::set_wrong_code(tx, id).await.map(|()| None),
        Verdict::TooLate => Ok(None),
    }
}

/// The code is looked at again, now that the user is locked: it is good once.
async fn try_reset(
    auth: &Auth,
    who: &Who,
    (id, given, user): (PasswordResetId, &SecretHash, UserId),
    new: &NewPassword,
) -> Result<(), Error> {
    let mut tx = auth.pool.begin().await?;
    let now = store::users::lock_credentials(&mut tx, user).await?.ok_or(Error::CodeInvalid)?;
    judge(&mut tx, id, given).await?.ok_or(Error::CodeInvalid)?;
    let ended = set(&mut tx, &now, new, None).await?;
    store::throttles::fill(&mut tx, &Bucket::password(&now.email.lower())).await?;
    let event = Event::new("user.password_reset", user).with("sessions_ended", ended);
    store::audit::insert_as(&mut tx, &user.to_string(), who, &event).await?;
    Ok(tx.commit().await?)
}
