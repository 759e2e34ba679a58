//! Changing one's own password, by the one so far.

use kontor_postgres::retry;
use secrecy::SecretString;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Auth, Error, Who, own_password};
use crate::domain::account::Credentials;
use crate::domain::audit::Event;
use crate::domain::{mail, password};
use crate::store;

/// A password that was checked, and its hash.
pub(super) struct NewPassword {
    pub(super) password: SecretString,
    pub(super) hash: String,
}

impl NewPassword {
    /// Checks a password for a user, and hashes it.
    pub(super) async fn new(auth: &Auth, user: &Credentials, password: SecretString) -> Result<Self, Error> {
        password::check(&password, &user.email, user.has_second_factor)?;
        let hash = auth.passwords.hash(auth.passwords.place()?, password.clone()).await?;
        Ok(Self { password, hash })
    }
}

/// Changes the password, and ends all sessions but the caller's.
pub(crate) async fn change_password(
    auth: &Auth,
    who: &Who,
    name: &str,
    (current, new): (SecretString, SecretString),
) -> Result<(), Error> {
    let own = own_password::confirm(auth, who, name, current).await?;
    let new = NewPassword::new(auth, &own, new).await?;
    retry("change a password", || try_change(auth, who, &own, &new)).await?;
    auth.revoked.notify_waiters();
    auth.mail_queued.notify_one();
    Ok(())
}

async fn try_change(auth: &Auth, who: &Who, own: &Credentials, new: &NewPassword) -> Result<(), Error> {
    let mut tx = auth.pool.begin().await?;
    let now = own_password::lock(&mut tx, own).await?;
    let ended = set(&mut tx, &now, new, who.caller.sid()).await?;
    let event = Event::new("user.password_changed", now.user).with("sessions_ended", ended);
    store::audit::insert(&mut tx, who, &event).await?;
    Ok(tx.commit().await?)
}

/// Sets the password of a user who is locked. All that began with the one before ends, except for one session; answers how
/// many sessions ended.
pub(super) async fn set(
    tx: &mut PgConnection,
    now: &Credentials,
    new: &NewPassword,
    except: Option<Uuid>,
) -> Result<usize, Error> {
    // A second factor may have been taken away since it was checked.
    password::check_length(&new.password, now.has_second_factor)?;
    store::users::set_password(tx, now.user, &new.hash).await?;
    store::challenges::delete_all(tx, now.user).await?;
    store::authenticators::delete_pending(tx, now.user).await?;
    store::password_resets::delete_all(tx, Some(now.user)).await?;
    let ended = store::revocations::end_sessions(tx, &[now.user], except).await?;
    store::mails::insert(tx, &mail::password_changed(&now.email)).await?;
    Ok(ended.len())
}
