//! The operations on accounts: one method for each use case, which owns its transaction.

mod access_tokens;
mod admin_lock;
mod argon;
mod audit;
mod change_password;
mod clean;
mod continue_sign_in;
mod error;
mod key_ring;
mod keys;
mod mail;
mod own_password;
mod password_reset;
mod passwords;
mod refresh;
mod request_context;
mod revocation_feed;
mod role_bindings;
mod roles;
mod second_factor;
mod second_factor_codes;
mod second_factor_removal;
mod service_accounts;
mod service_keys;
mod service_tokens;
mod sessions;
mod setup;
mod setup_error;
mod sign_in;
mod sign_up;
mod throttle;
mod user_sessions;
mod users;

use std::sync::Arc;

use ipnet::IpNet;
use kontor_postgres::Pool;
use kontor_types::Clock;
use tokio::sync::Notify;

pub(crate) use audit::Filter;
pub(crate) use error::Error;
pub use passwords::PasswordCost;
pub(crate) use request_context::RequestContext;
pub(crate) use revocation_feed::OnUpdate;
pub(crate) use service_keys::Terms;
pub(crate) use setup_error::SetupError;
pub(crate) use sign_in::SignedIn;
pub(crate) use sign_up::Applicant;

use crate::domain::key_life::Schedule;
use crate::domain::links::Links;
use crate::domain::seal::KeyEncryptionKey;
use crate::domain::signing_key::PublicKey;
use access_tokens::AccessTokens;
use passwords::Passwords;
use revocation_feed::RevocationFeed;

/// The operations on accounts, over their database. Clones share all state.
#[derive(Clone)]
pub(crate) struct Auth {
    pool: Pool,
    passwords: Arc<Passwords>,
    access_tokens: Arc<AccessTokens>,
    kek: Arc<KeyEncryptionKey>,
    trusted_proxies: Arc<[IpNet]>,
    schedule: Schedule,
    clock: Arc<dyn Clock>,
    links: Links,
    mail_queued: Arc<Notify>,
    revoked: Arc<Notify>,
    feed: Arc<RevocationFeed>,
}

impl Auth {
    pub(crate) fn public_keys(&self) -> Vec<PublicKey> {
        self.access_tokens.ring().public_keys()
    }

    /// The issuer that access tokens name: the address that callers know Kontor by.
    pub(crate) fn issuer(&self) -> &str {
        self.access_tokens.issuer()
    }

    /// The proxies whose `x-forwarded-for` is trusted.
    pub(crate) fn trusted_proxies(&self) -> &[IpNet] {
        &self.trusted_proxies
    }

    /// Notified when this process revokes tokens.
    pub(crate) fn revoked(&self) -> Arc<Notify> {
        Arc::clone(&self.revoked)
    }

    /// Notified when this process has queued a mail.
    pub(crate) fn mail_queued(&self) -> Arc<Notify> {
        Arc::clone(&self.mail_queued)
    }
}
