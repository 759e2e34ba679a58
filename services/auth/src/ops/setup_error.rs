//! Why the service can't be set up. Each says which setting to look at.

use super::Error;
use crate::domain::email::EmailError;
use crate::domain::links::LinksError;
use crate::domain::password;
use crate::domain::roles::Misfit;
use crate::domain::seal::SealError;
use crate::domain::service_key::ServiceKeyError;
use crate::domain::signing_key::SigningKeyError;
use kontor_postgres::{StoreError, Transient};

#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupError {
    #[error(transparent)]
    Roles(#[from] Misfit),
    #[error("KONTOR_AUTH_KEK: {0}")]
    KeyEncryptionKey(SealError),
    #[error("the signing key can't be used; is KONTOR_AUTH_KEK the one that it was sealed with?")]
    SigningKey(#[source] SigningKeyError),
    #[error("one of KONTOR_SERVICE_KEYS {0}")]
    ServiceKey(#[from] ServiceKeyError),
    #[error(
        "KONTOR_SERVICE_KEYS names the account {0}, which an operator has made; delete that account, or name the key's otherwise"
    )]
    ServiceAccountTaken(String),
    #[error("KONTOR_LINK_ORIGIN (without it, KONTOR_ISSUER) {0}")]
    LinkOrigin(LinksError),
    #[error("KONTOR_ADMIN_EMAIL {0}")]
    AdminEmail(EmailError),
    #[error("KONTOR_ADMIN_PASSWORD {0}")]
    AdminPassword(password::WeakPassword),
    #[error("KONTOR_ADMIN_EMAIL and KONTOR_ADMIN_PASSWORD go together")]
    HalfAnAdministrator,
    #[error("KONTOR_ADMIN_EMAIL has an account that is no administrator's; choose another address")]
    AdminEmailTaken,
    #[error(transparent)]
    Operation(#[from] Error),
}

impl SetupError {
    /// Whether the database was not available: the set-up may succeed later.
    pub(crate) fn is_outage(&self) -> bool {
        matches!(self, Self::Operation(Error::Store(StoreError::Outage(_))))
    }
}

impl From<sqlx::Error> for SetupError {
    fn from(error: sqlx::Error) -> Self {
        Self::Operation(error.into())
    }
}

impl Transient for SetupError {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Operation(error) if error.is_transient())
    }
}
