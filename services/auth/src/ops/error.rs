//! Why operations and the set-up fail. What callers may know of it is decided where it meets the wire.

use std::time::Duration;

use kontor_postgres::{Transient, is_outage};

use crate::domain::password::Refusal;
use crate::domain::seal::SealError;
use crate::domain::signing_key::SigningKeyError;

/// Why an operation fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The password is not good enough.
    #[error("the password {0}")]
    PasswordRefused(#[from] Refusal),
    /// The mailed code is wrong, used or expired, or there is no such sign-up.
    #[error("the code is wrong, used or expired")]
    CodeInvalid,
    /// Nobody can sign in like that.
    #[error("the credentials are wrong")]
    CredentialsInvalid,
    /// The refresh token is unknown, used or revoked.
    #[error("the refresh token is unknown, used or revoked")]
    RefreshTokenInvalid,
    /// There is nothing of this name, or nothing that the caller may see.
    #[error("no {0}")]
    NotFound(String),
    /// There is something of this name.
    #[error("{0} exists")]
    Exists(String),
    /// The caller lacks this permission.
    #[error("the permission {0} is missing")]
    PermissionMissing(String),
    /// The caller's token was revoked while the call waited.
    #[error("the caller's token was revoked")]
    TokenRevoked,
    /// Nobody is signed in, or no session.
    #[error("nobody is signed in")]
    NotSignedIn,
    /// Too many attempts; some more may be made after this long.
    #[error("too many attempts")]
    Throttled(Duration),
    /// The password is right, but the account is suspended.
    #[error("the account is suspended")]
    Suspended,
    /// The challenge is unknown, used up or expired.
    #[error("the challenge is unknown, used up or expired")]
    ChallengeInvalid,
    /// The second factor is not in a state that allows this. Says why.
    #[error("the second factor: {0}")]
    SecondFactorState(&'static str),
    /// Nobody would be left who could administer Kontor.
    #[error("nobody would be left to administer")]
    LastAdministrator,
    /// A role that has to stay as it is. Says why.
    #[error("the role {0}")]
    RoleInUse(&'static str),
    /// A field breaks a rule that the contract can't state.
    #[error("{field}: {description}")]
    Field {
        /// The field's path.
        field: &'static str,
        /// What is wrong with it.
        description: String,
    },
    /// Too many passwords wait to be hashed.
    #[error("too many passwords wait to be hashed")]
    Busy,
    /// The database refused.
    #[error("the database")]
    Database(#[source] sqlx::Error),
    /// The database can't be reached.
    #[error("the database can't be reached")]
    DatabaseAway(#[source] sqlx::Error),
    /// A password could not be hashed.
    #[error("a password could not be hashed")]
    Hash(#[from] argon2::password_hash::Error),
    /// An access token could not be signed.
    #[error("an access token could not be signed")]
    Sign(#[from] jsonwebtoken::errors::Error),
    /// A secret can't be sealed or opened.
    #[error("a secret at rest")]
    Seal(#[from] SealError),
    /// A signing key could not be made.
    #[error("a signing key could not be made")]
    SigningKey(#[source] SigningKeyError),
    /// An authenticator can't be made of what is kept.
    #[error("an authenticator")]
    Totp(#[from] totp_rs::TotpError),
    /// A task panicked.
    #[error("a task ended early")]
    Task(#[from] tokio::task::JoinError),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if is_outage(&error) { Self::DatabaseAway(error) } else { Self::Database(error) }
    }
}

impl Transient for Error {
    fn is_transient(&self) -> bool {
        match self {
            Self::Database(error) | Self::DatabaseAway(error) => error.is_transient(),
            Self::PasswordRefused(_)
            | Self::CodeInvalid
            | Self::CredentialsInvalid
            | Self::RefreshTokenInvalid
            | Self::NotFound(_)
            | Self::Exists(_)
            | Self::PermissionMissing(_)
            | Self::TokenRevoked
            | Self::NotSignedIn
            | Self::Throttled(_)
            | Self::Suspended
            | Self::ChallengeInvalid
            | Self::SecondFactorState(_)
            | Self::LastAdministrator
            | Self::RoleInUse(_)
            | Self::Field { .. }
            | Self::Seal(_)
            | Self::SigningKey(_)
            | Self::Totp(_)
            | Self::Busy
            | Self::Hash(_)
            | Self::Sign(_)
            | Self::Task(_) => false,
        }
    }
}
