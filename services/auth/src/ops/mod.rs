//! What accounts are used for: one function for each use case, which owns its transaction.

mod access_tokens;
pub(crate) mod audit;
pub(crate) mod bindings;
mod changes;
pub(crate) mod clean;
mod error;
pub(crate) mod mail;
mod page;
mod passwords;
pub(crate) mod refresh;
pub(crate) mod roles;
pub(crate) mod service_accounts;
pub(crate) mod service_keys;
pub(crate) mod service_tokens;
mod sessions;
pub(crate) mod setup;
mod setup_error;
pub(crate) mod sign_in;
pub(crate) mod sign_up;
pub(crate) mod suspension;
pub(crate) mod users;
mod who;

use std::sync::Arc;

use kontor_types::Clock;
use sqlx::PgPool;
use tokio::sync::Notify;

pub(crate) use access_tokens::AccessToken;
pub(crate) use error::Error;
pub(crate) use page::Page;
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
