//! Changing the caller's own password.

use kontor_postgres::retry;
use secrecy::SecretString;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Auth, Error, RequestContext, own_password};
use crate::domain::account::Credentials;
use crate::domain::audit::Event;
use crate::domain::{mail, password};
use crate::store;

/// The request field that every new password comes in.
const FIELD: &str = "new_password";

/// A password that was checked, and its hash.
pub(super) struct NewPassword {
    password: SecretString,
    hash: String,
}

impl Auth {
    /// Changes the password, and ends all sessions but the caller's.
    pub async fn change_password(
        &self,
        context: &RequestContext,
        name: &str,
        current: SecretString,
        new: SecretString,
    ) -> Result<(), Error> {
        let own = self.confirm_own_password(context, name, current).await?;
        let new = self.hash_new_password(&own, new).await?;
        retry("change_password", || self.change_password_once(context, &own, &new)).await?;
        self.revoked.notify_waiters();
        self.mail_queued.notify_one();
        Ok(())
    }

    async fn change_password_once(
        &self,
        context: &RequestContext,
        own: &Credentials,
        new: &NewPassword,
    ) -> Result<(), Error> {
        let mut tx = self.pool.begin().await?;
        let now = own_password::lock(&mut tx, own).await?;
        let ended = set(&mut tx, &now, new, context.caller.sid()).await?;
        let event = Event::new("user.password_changed", now.user).with("sessions_ended", ended);
        store::audit::insert(&mut tx, context, &event).await?;
        Ok(tx.commit().await?)
    }

    pub(super) async fn hash_new_password(
        &self,
        user: &Credentials,
        password: SecretString,
    ) -> Result<NewPassword, Error> {
        password::check(&password, &user.email, user.has_second_factor).map_err(Error::refused_password(FIELD))?;
        let hash = self.passwords.hash(self.passwords.acquire()?, password.clone()).await?;
        Ok(NewPassword { password, hash })
    }
}

/// Sets the password of a locked user, ends the sessions but one, and removes challenges, password resets and unconfirmed authenticators.
/// Returns how many sessions ended.
pub(super) async fn set(
    tx: &mut PgConnection,
    now: &Credentials,
    new: &NewPassword,
    except: Option<Uuid>,
) -> Result<usize, Error> {
    // The second factor may have been removed since the check.
    password::check_length(&new.password, now.has_second_factor).map_err(Error::refused_password(FIELD))?;
    store::users::set_password(tx, now.user, &new.hash).await?;
    store::challenges::delete_all(tx, now.user).await?;
    store::authenticators::delete_pending(tx, now.user).await?;
    store::password_resets::delete_all(tx, Some(now.user)).await?;
    let ended = store::revocations::end_sessions(tx, &[now.user], except).await?;
    store::mails::insert(tx, &mail::password_changed(&now.email)).await?;
    Ok(ended.len())
}
