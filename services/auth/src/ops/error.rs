//! Why operations and the set-up fail. What callers may know of it is decided where it meets the wire.

use kontor_postgres::Transient;

use crate::domain::password::Refusal;

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
    /// There is no such user, or none that the caller may see.
    #[error("no user {0}")]
    UserNotFound(String),
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
    /// A task panicked.
    #[error("a task ended early")]
    Task(#[from] tokio::task::JoinError),
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if is_away(&error) { Self::DatabaseAway(error) } else { Self::Database(error) }
    }
}

fn is_away(error: &sqlx::Error) -> bool {
    use sqlx::Error::{Database, Io, PoolClosed, PoolTimedOut, Tls};
    match error {
        Io(_) | Tls(_) | PoolTimedOut | PoolClosed => true,
        // Operator intervention (class 57P: shutdown, crash, not yet up) and too many connections.
        Database(refusal) => refusal.code().is_some_and(|code| code.starts_with("57P") || code == "53300"),
        _ => false,
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
            | Self::UserNotFound(_)
            | Self::Busy
            | Self::Hash(_)
            | Self::Sign(_)
            | Self::Task(_) => false,
        }
    }
}
