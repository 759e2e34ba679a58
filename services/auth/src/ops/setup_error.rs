//! Why the service can't be set up. Each says which setting to look at.

use super::Error;
use crate::domain::email::EmailError;
use crate::domain::password;
use crate::domain::roles::Misfit;
use crate::domain::seal::SealError;
use crate::domain::service_key::ServiceKeyError;
use crate::domain::signing_key::SigningKeyError;
use kontor_postgres::Transient;

/// Why the service can't be set up. For whoever starts it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupError {
    /// Roles and contract do not fit together.
    #[error(transparent)]
    Roles(#[from] Misfit),
    /// KONTOR_AUTH_KEK is no key.
    #[error("KONTOR_AUTH_KEK: {0}")]
    KeyEncryptionKey(SealError),
    /// A signing key can't be made or opened.
    #[error("the signing key can't be used; is KONTOR_AUTH_KEK the one that it was sealed with?")]
    SigningKey(#[source] SigningKeyError),
    /// One of KONTOR_SERVICE_KEYS is no key.
    #[error("one of KONTOR_SERVICE_KEYS {0}")]
    ServiceKey(#[from] ServiceKeyError),
    /// An operator has made an account with the name of one that KONTOR_SERVICE_KEYS names.
    #[error(
        "KONTOR_SERVICE_KEYS names the account {0}, which an operator has made; delete that account, or name the key's otherwise"
    )]
    ServiceAccountTaken(String),
    /// KONTOR_ADMIN_EMAIL is no e-mail address.
    #[error("KONTOR_ADMIN_EMAIL {0}")]
    AdminEmail(EmailError),
    /// KONTOR_ADMIN_PASSWORD is not good enough.
    #[error("KONTOR_ADMIN_PASSWORD {0}")]
    AdminPassword(password::Refusal),
    /// Only one of the two is set.
    #[error("KONTOR_ADMIN_EMAIL and KONTOR_ADMIN_PASSWORD go together")]
    HalfAnAdministrator,
    /// The address belongs to somebody who is no administrator.
    #[error("KONTOR_ADMIN_EMAIL has an account that is no administrator's; choose another address")]
    AdminEmailTaken,
    /// An operation failed.
    #[error(transparent)]
    Operation(#[from] Error),
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
