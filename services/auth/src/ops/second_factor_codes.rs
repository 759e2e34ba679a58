//! Codes of the second factor: looked at, and used up if they are good.

use secrecy::SecretString;
use sqlx::PgConnection;

use super::{Auth, Error};
use crate::domain::account::Credentials;
use crate::domain::recovery_code::Given;
use crate::domain::totp::{self, Authenticator};
use crate::store;

/// Uses up a code of a user who is locked, and tells of what kind it was. None if it is no good.
pub(super) async fn use_up(
    auth: &Auth,
    tx: &mut PgConnection,
    user: &Credentials,
    code: &SecretString,
) -> Result<Option<&'static str>, Error> {
    match Given::read(code) {
        Given::Totp(code) => Ok(use_up_totp(auth, tx, user, &code).await?.then_some("totp")),
        Given::Recovery(hash) => {
            let is_used = store::recovery_codes::use_up(tx, user.user, &hash).await?;
            Ok(is_used.then_some("recovery_code"))
        }
        Given::Neither => Ok(None),
    }
}

/// The same for an authenticator's only, whether it has been confirmed or not.
pub(super) async fn use_up_totp(
    auth: &Auth,
    tx: &mut PgConnection,
    user: &Credentials,
    code: &SecretString,
) -> Result<bool, Error> {
    let Some(kept) = store::authenticators::find(tx, user.user).await? else { return Ok(false) };
    let secret = auth.kek.open(&totp::place(user.user), &kept.sealed_secret)?;
    let authenticator = Authenticator::new(&secret, &user.email)?;
    let Some(step) = authenticator.step(code, auth.clock.now().timestamp()) else { return Ok(false) };
    Ok(store::authenticators::use_step(tx, user.user, step).await?)
}
