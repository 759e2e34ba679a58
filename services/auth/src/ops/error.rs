//! Why operations fail, apart from any wire.

use std::time::Duration;

use kontor_postgres::{StoreError, Transient};

use crate::domain::password::WeakPassword;
use crate::domain::seal::SealError;
use crate::domain::signing_key::SigningKeyError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{field}: {refusal}")]
    PasswordRefused { field: &'static str, refusal: WeakPassword },
    /// The code of a mail, or of a second factor, is wrong, used or expired, or the sign-up or password reset does not exist.
    #[error("the code is wrong, used or expired")]
    CodeInvalid,
    /// The code of an authenticator is wrong or used, where no other code is accepted.
    #[error("the code of the authenticator is wrong or used")]
    TotpCodeInvalid,
    #[error("these credentials are not known")]
    CredentialsInvalid,
    #[error("the refresh token is unknown, used or revoked; sign in")]
    RefreshTokenInvalid,
    /// No such resource, or none that the caller may see. Holds the name as the caller wrote it.
    #[error("{0} does not exist")]
    NotFound(String),
    #[error("{0} exists already")]
    Exists(String),
    #[error("the permission {0} is missing")]
    PermissionMissing(String),
    #[error("the caller's token was revoked")]
    TokenRevoked,
    #[error("the call needs a signed-in user")]
    NotSignedIn,
    #[error("too many attempts; try again in {} seconds", .0.as_secs().max(1))]
    Throttled(Duration),
    #[error("this account is suspended")]
    Suspended,
    #[error("the challenge is unknown, used up or expired; sign in again")]
    ChallengeInvalid,
    /// The second factor is not in a state that allows this. Says why.
    #[error("{0}")]
    SecondFactorState(&'static str),
    #[error("no administrator of Kontor would be left; make another user administrator first")]
    LastAdministrator,
    #[error("the role {0}")]
    RoleInUse(&'static str),
    /// A field breaks a rule that the contract can't state.
    #[error("{field}: {description}")]
    Field { field: &'static str, description: String },
    #[error("too many sign-ins are running right now; try again in a second")]
    Busy,
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("a password could not be hashed")]
    Hash(#[from] argon2::password_hash::Error),
    #[error("an access token could not be signed")]
    Sign(#[from] jsonwebtoken::errors::Error),
    #[error("a secret could not be sealed or opened")]
    Seal(#[from] SealError),
    #[error("a signing key could not be made")]
    SigningKey(#[source] SigningKeyError),
    #[error("an authenticator could not be built from its secret")]
    Totp(#[from] totp_rs::TotpError),
    #[error("a task ended early")]
    Task(#[from] tokio::task::JoinError),
}

impl Error {
    /// Turns a refusal into an error that names the request's field.
    pub(super) fn refused_password(field: &'static str) -> impl FnOnce(WeakPassword) -> Self {
        move |refusal| Self::PasswordRefused { field, refusal }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Transient for Error {
    fn is_transient(&self) -> bool {
        match self {
            Self::Store(error) => error.is_transient(),
            Self::PasswordRefused { .. }
            | Self::CodeInvalid
            | Self::TotpCodeInvalid
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
