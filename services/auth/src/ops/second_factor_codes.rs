//! Codes of the second factor: each is accepted once.

use secrecy::SecretString;
use sqlx::PgConnection;

use super::{Auth, Error};
use crate::domain::account::Credentials;
use crate::domain::recovery_code::Given;
use crate::domain::totp::{self, Authenticator};
use crate::store;

impl Auth {
    /// Uses up a code of a locked user, and returns its kind. None if the code is not valid.
    pub(super) async fn use_code(
        &self,
        tx: &mut PgConnection,
        user: &Credentials,
        code: &SecretString,
    ) -> Result<Option<&'static str>, Error> {
        match Given::read(code) {
            Given::Totp(code) => Ok(self.use_totp_code(tx, user, &code).await?.then_some("totp")),
            Given::Recovery(hash) => {
                let is_used = store::recovery_codes::use_up(tx, user.user, &hash).await?;
                Ok(is_used.then_some("recovery_code"))
            }
            Given::Neither => Ok(None),
        }
    }

    /// Uses up a code of the authenticator, whether that is confirmed or not. False if the code is not valid.
    pub(super) async fn use_totp_code(
        &self,
        tx: &mut PgConnection,
        user: &Credentials,
        code: &SecretString,
    ) -> Result<bool, Error> {
        let Some(kept) = store::authenticators::find(tx, user.user).await? else { return Ok(false) };
        let secret = self.kek.open(&totp::place(user.user), &kept.sealed_secret)?;
        let authenticator = Authenticator::new(&secret, &user.email)?;
        let Some(step) = authenticator.step(code, self.clock.now().timestamp()) else { return Ok(false) };
        Ok(store::authenticators::use_step(tx, user.user, step).await?)
    }
}
