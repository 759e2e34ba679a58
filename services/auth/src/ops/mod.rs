//! What accounts are used for: one function for each use case, which owns its transaction.

mod access_tokens;
mod argon;
pub(crate) mod audit;
pub(crate) mod bindings;
pub(crate) mod change_password;
mod changes;
pub(crate) mod clean;
pub(crate) mod continue_sign_in;
mod error;
pub(crate) mod feed;
mod key_ring;
pub(crate) mod keys;
pub(crate) mod mail;
mod own_password;
mod page;
pub(crate) mod password_reset;
mod passwords;
pub(crate) mod refresh;
pub(crate) mod roles;
pub(crate) mod second_factor;
mod second_factor_codes;
pub(crate) mod second_factor_removal;
pub(crate) mod service_accounts;
pub(crate) mod service_keys;
pub(crate) mod service_tokens;
mod sessions;
pub(crate) mod setup;
mod setup_error;
pub(crate) mod sign_in;
pub(crate) mod sign_out;
pub(crate) mod sign_up;
pub(crate) mod suspension;
mod throttle;
pub(crate) mod user_sessions;
pub(crate) mod users;
mod who;

use std::sync::Arc;

use ipnet::IpNet;
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

use crate::domain::key_life::Schedule;
use crate::domain::links::Links;
use crate::domain::seal::KeyEncryptionKey;
use crate::domain::signing_key::PublicKey;
use crate::store;
use access_tokens::AccessTokens;
use feed::Feed;
use passwords::Passwords;

/// What the operations work with.
pub(crate) struct Auth {
    pool: PgPool,
    passwords: Passwords,
    access_tokens: AccessTokens,
    kek: KeyEncryptionKey,
    trusted_proxies: Vec<IpNet>,
    schedule: Schedule,
    clock: Arc<dyn Clock>,
    links: Links,
    mail_queued: Notify,
    revoked: Notify,
    feed: Feed,
}

impl Auth {
    /// The keys that access tokens are verified with.
    pub(crate) fn public_keys(&self) -> Vec<PublicKey> {
        self.access_tokens.ring().public_keys()
    }

    /// Who issues access tokens: the address that callers know Kontor by.
    pub(crate) fn issuer(&self) -> &str {
        self.access_tokens.issuer()
    }

    /// Whose word about where a call comes from is taken.
    pub(crate) fn trusted_proxies(&self) -> &[IpNet] {
        &self.trusted_proxies
    }

    /// Whether the database answers.
    pub(crate) async fn ping(&self) -> Result<(), Error> {
        Ok(store::setup::ping(&mut *self.pool.acquire().await?).await?)
    }

    /// Ends when this process revokes something after this call, whether or not it is awaited yet.
    pub(crate) fn revoked(&self) -> impl Future<Output = ()> {
        self.revoked.notified()
    }

    /// Returns when a mail was queued by this process since the last call.
    pub(crate) async fn mail_queued(&self) {
        self.mail_queued.notified().await;
    }
}
