//! What callers may know of a failed operation.

use kontor_runtime::fault::{self, ErrorReason, Fault};
use tonic::{Code, Status};

use crate::ops::Error;

/// The status of a failed operation. Causes of our own go to the log, not to the caller.
pub(super) fn status(error: Error) -> Status {
    match error {
        Error::PasswordRefused(refusal) => refused_field("password", ErrorReason::PasswordRefused, refusal.to_string()),
        Error::CodeInvalid => {
            refused_field("code", ErrorReason::CodeInvalid, "is wrong, used or expired; sign up again for a new one")
        }
        Error::CredentialsInvalid => {
            unauthenticated(ErrorReason::CredentialsInvalid, "these credentials are not known")
        }
        Error::RefreshTokenInvalid => {
            unauthenticated(ErrorReason::RefreshTokenInvalid, "the refresh token is unknown, used or revoked; sign in")
        }
        Error::UserNotFound(name) => Fault::not_found(&name).into(),
        Error::Busy => busy(),
        Error::DatabaseAway(_) => fault::unavailable(&error),
        Error::Database(_) | Error::Hash(_) | Error::Sign(_) | Error::Task(_) => fault::internal(&error),
    }
}

/// INVALID_ARGUMENT for one field, with a reason of its own.
pub(super) fn refused_field(path: &str, reason: ErrorReason, description: impl Into<String>) -> Status {
    let description = description.into();
    let message = format!("{path}: {description}");
    Fault::new(Code::InvalidArgument, reason, message).violation(path, description).into()
}

fn unauthenticated(reason: ErrorReason, message: &str) -> Status {
    Fault::new(Code::Unauthenticated, reason, message).into()
}

fn busy() -> Status {
    Fault::overloaded("too many are signing in right now; try again in a second").into()
}
