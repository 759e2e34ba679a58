//! What accounts are used for: one function for each use case, which owns its transaction.

mod access_tokens;
mod argon;
pub(crate) mod change_password;
pub(crate) mod clean;
pub(crate) mod continue_sign_in;
mod error;
pub(crate) mod mail;
mod own_password;
pub(crate) mod password_reset;
mod passwords;
pub(crate) mod refresh;
pub(crate) mod second_factor;
mod second_factor_codes;
pub(crate) mod second_factor_removal;
pub(crate) mod service_tokens;
mod sessions;
pub(crate) mod setup;
mod setup_error;
pub(crate) mod sign_in;
pub(crate) mod sign_out;
pub(crate) mod sign_up;
mod throttle;
pub(crate) mod user_sessions;
pub(crate) mod users;
mod who;

use std::sync::Arc;

use kontor_types::Clock;
use sqlx::PgPool;
use tokio::sync::Notify;

pub(crate) use access_tokens::AccessToken;
pub(crate) use error::Error;
pub use passwords::PasswordCost;
pub(crate) use sessions::Tokens;
pub(crate) use setup_error::SetupError;
pub(crate) use who::Who;

use crate::domain::seal::KeyEncryptionKey;
use crate::domain::signing_key::PublicKey;
use crate::store;
use access_tokens::AccessTokens;
use passwords::Passwords;

/// What the operations work with.
pub(crate) struct Auth {
    pool: PgPool,
    passwords: Passwords,
    access_tokens: AccessTokens,
    public_keys: Vec<PublicKey>,
    kek: KeyEncryptionKey,
    clock: Arc<dyn Clock>,
    mail_queued: Notify,
    revoked: Notify,
}

impl Auth {
    /// The keys that access tokens are verified with.
    pub(crate) fn public_keys(&self) -> &[PublicKey] {
        &self.public_keys
    }

    /// Whether the database answers.
    pub(crate) async fn ping(&self) -> Result<(), Error> {
        Ok(store::setup::ping(&mut *self.pool.acquire().await?).await?)
    }

    /// Returns when a mail was queued by this process since the last call.
    pub(crate) async fn mail_queued(&self) {
        self.mail_queued.notified().await;
    }
}
