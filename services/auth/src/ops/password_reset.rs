//! Resetting a lost password by a mailed code. Only the mail shows whether an address has an account.

use chrono::{DateTime, Utc};
use kontor_postgres::retry;
use kontor_types::ids::{PasswordResetId, UserId};
use secrecy::SecretString;
use sqlx::PgConnection;

use super::change_password::{NewPassword, set};
use super::{Auth, Error, RequestContext};
use crate::domain::account::Credentials;
use crate::domain::audit::Event;
use crate::domain::code::{self, CodeCheck};
use crate::domain::email::Email;
use crate::domain::hash::SecretHash;
use crate::domain::mail;
use crate::domain::throttle::Bucket;
use crate::store;

impl Auth {
    /// Mails a code, and returns when it expires. An address without an account gets the same answer, after the same work.
    pub async fn request_password_reset(
        &self,
        context: &RequestContext,
        email: &Email,
    ) -> Result<(PasswordResetId, DateTime<Utc>), Error> {
        self.admit(&[Bucket::address(context.origin.address), Bucket::mail(&email.mailbox())]).await?;
        let (id, code) = (PasswordResetId::generate(), code::generate());
        let insert = || self.request_password_reset_once(email, id, &code);
        let expire_time = retry("request_password_reset", insert).await?;
        self.mail_queued.notify_one();
        Ok((id, expire_time))
    }

    async fn request_password_reset_once(
        &self,
        email: &Email,
        id: PasswordResetId,
        code: &SecretString,
    ) -> Result<DateTime<Utc>, Error> {
        let mut tx = self.pool.begin().await?;
        let known = store::users::find_credentials(&mut tx, &email.lower()).await?;
        // Without a user the same statements run, and find no rows.
        let user = known.as_ref().map(|known| known.user);
        store::users::lock_credentials(&mut tx, user.unwrap_or_else(UserId::generate)).await?;
        store::password_resets::delete_all(&mut tx, user).await?;
        let expire_time = store::password_resets::insert(&mut tx, id, user, &code::hash(id, code)).await?;
        // To the address as its owner gave it: the requested one may only look the same.
        let to = known.as_ref().map_or(email, |known| &known.email);
        let letter = mail::password_reset(to, &id.to_string(), code, &self.links);
        store::mails::insert_if(&mut tx, known.is_some(), &letter).await?;
        tx.commit().await?;
        Ok(expire_time)
    }

    /// Sets a new password, and ends all sessions. After a refused password the code stays valid.
    pub async fn confirm_password_reset(
        &self,
        context: &RequestContext,
        id: PasswordResetId,
        code: &SecretString,
        new: SecretString,
    ) -> Result<(), Error> {
        self.admit(&[Bucket::address(context.origin.address)]).await?;
        let given = code::hash(id, code);
        let found = retry("check_reset_code", || self.check_reset_code_once(id, &given)).await?;
        let user = found.ok_or(Error::CodeInvalid)?;
        let new = self.hash_new_password(&user, new).await?;
        let reset = || self.confirm_password_reset_once(context, (id, &given), user.user, &new);
        retry("confirm_password_reset", reset).await?;
        self.revoked.notify_waiters();
        self.mail_queued.notify_one();
        Ok(())
    }

    /// The user whose password a code resets. None if the code is not valid; a wrong try is committed.
    async fn check_reset_code_once(
        &self,
        id: PasswordResetId,
        given: &SecretHash,
    ) -> Result<Option<Credentials>, Error> {
        let mut tx = self.pool.begin().await?;
        let Some(user) = check_code(&mut tx, id, given).await? else {
            tx.commit().await?;
            return Ok(None);
        };
        Ok(store::users::get_credentials(&mut tx, user).await?)
    }

    /// Checks the code again, now that the user is locked: it is valid once.
    async fn confirm_password_reset_once(
        &self,
        context: &RequestContext,
        (id, given): (PasswordResetId, &SecretHash),
        user: UserId,
        new: &NewPassword,
    ) -> Result<(), Error> {
        let mut tx = self.pool.begin().await?;
        let now = store::users::lock_credentials(&mut tx, user).await?.ok_or(Error::CodeInvalid)?;
        check_code(&mut tx, id, given).await?.ok_or(Error::CodeInvalid)?;
        let ended = set(&mut tx, &now, new, None).await?;
        store::throttles::fill(&mut tx, &Bucket::password(&now.email.lower())).await?;
        let event = Event::new("user.password_reset", user).with("sessions_ended", ended);
        store::audit::insert_as(&mut tx, &user.to_string(), context, &event).await?;
        Ok(tx.commit().await?)
    }
}

/// The user, if the code is valid. A wrong one is counted.
async fn check_code(
    tx: &mut PgConnection,
    id: PasswordResetId,
    given: &SecretHash,
) -> Result<Option<UserId>, sqlx::Error> {
    let Some(reset) = store::password_resets::lock(tx, id).await? else { return Ok(None) };
    match reset.waiting.check(given) {
        CodeCheck::Correct => Ok(reset.user_id.map(UserId)),
        CodeCheck::Wrong => store::password_resets::set_wrong_code(tx, id).await.map(|()| None),
        CodeCheck::Closed => Ok(None),
    }
}
