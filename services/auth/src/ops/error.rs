//! Why operations fail, apart from any wire.

use std::time::Duration;

use kontor_postgres::Transient;

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
    /// The caller's token was revoked while the call waited.
    #[error("the caller's token was revoked")]
    TokenRevoked,
    /// The call has no user, or no session.
    #[error("the call needs a signed-in user")]
    NotSignedIn,
    /// Further attempts may be made after this long.
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
    /// A role that cannot be changed. Says why.
    #[error("the role {0}")]
    RoleInUse(&'static str),
    /// A field breaks a rule that the contract can't state.
    #[error("{field}: {description}")]
    Field { field: &'static str, description: String },
    /// Too many passwords wait to be hashed.
    #[error("too many sign-ins are running right now; try again in a second")]
    Busy,
    /// The database can't be reached.
    #[error("the database is not available")]
    Outage(#[source] sqlx::Error),
    /// The database refused what the code never should have asked.
    #[error("the database refused")]
    Database(#[source] sqlx::Error),
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
    /// The task that hashes a password panicked.
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
        if kontor_postgres::is_outage(&error) || error.is_transient() {
            return Self::Outage(error);
        }
        Self::Database(error)
    }
}

impl Transient for Error {
    fn is_transient(&self) -> bool {
        match self {
            Self::Outage(error) | Self::Database(error) => error.is_transient(),
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

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::error::Error as StdError;
    use std::fmt;

    use sqlx::error::{DatabaseError, ErrorKind};
    use tonic::{Code, Status};

    use super::*;

    /// A refusal by the database with this SQLSTATE.
    #[derive(Debug)]
    struct Refused(&'static str);

    impl fmt::Display for Refused {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl StdError for Refused {}

    impl DatabaseError for Refused {
        fn message(&self) -> &str {
            self.0
        }

        fn code(&self) -> Option<Cow<'_, str>> {
            Some(self.0.into())
        }

        fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn StdError + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
            self
        }

        fn kind(&self) -> ErrorKind {
            ErrorKind::Other
        }
    }

    fn refused(state: &'static str) -> Error {
        sqlx::Error::Database(Box::new(Refused(state))).into()
    }

    #[test]
    fn a_database_that_is_away_or_lost_a_conflict_is_unavailable() {
        let states = ["08006", "08P01", "53300", "57014", "57P01", "40001", "40P01"].map(refused);
        let broken = [sqlx::Error::WorkerCrashed, sqlx::Error::PoolTimedOut, sqlx::Error::PoolClosed].map(Error::from);
        for error in states.into_iter().chain(broken) {
            assert!(matches!(error, Error::Outage(_)), "{error:?}");
            assert_eq!(Status::from(error).code(), Code::Unavailable);
        }
    }

    #[test]
    fn only_a_lost_conflict_is_worth_a_repetition() {
        let transient = ["08006", "57014", "23505", "40001", "40P01"].map(|state| refused(state).is_transient());
        assert_eq!(transient, [false, false, false, true, true]);
    }

    #[test]
    fn what_the_database_should_never_refuse_is_internal() {
        for error in [refused("23505"), refused("42P01"), sqlx::Error::RowNotFound.into()] {
            assert!(matches!(error, Error::Database(_)), "{error:?}");
            assert_eq!(Status::from(error).code(), Code::Internal);
        }
    }
}
