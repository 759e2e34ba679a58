//! What callers may know of a failed operation.

use std::time::Duration;

use kontor_runtime::fault::{self, ErrorReason, Fault};
use kontor_runtime::{access, token};
use tonic::{Code, Status};

use crate::ops::Error;

/// The status of a failed operation. Causes of our own go to the log, not to the caller.
pub(super) fn status(error: Error) -> Status {
    match error {
        Error::PasswordRefused(refusal) => refused_field("password", ErrorReason::PasswordRefused, refusal.to_string()),
        Error::CodeInvalid => {
            refused_field("code", ErrorReason::CodeInvalid, "is wrong, used or expired; ask for a new one")
        }
        Error::CredentialsInvalid => {
            unauthenticated(ErrorReason::CredentialsInvalid, "these credentials are not known")
        }
        Error::RefreshTokenInvalid => {
            unauthenticated(ErrorReason::RefreshTokenInvalid, "the refresh token is unknown, used or revoked; sign in")
        }
        Error::NotFound(name) => Fault::not_found(&name).into(),
        Error::Exists(name) => exists(&name),
        Error::PermissionMissing(permission) => access::missing_permission(&permission),
        Error::TokenRevoked => token::revoked(),
        Error::NotSignedIn => access::no_token(),
        Error::Throttled(after) => throttled(after),
        Error::Suspended => suspended(),
        Error::ChallengeInvalid => unauthenticated(
            ErrorReason::ChallengeInvalid,
            "the challenge is unknown, used up or expired; sign in again",
        ),
        Error::SecondFactorState(why) => Fault::precondition(ErrorReason::SecondFactorState, why).into(),
        Error::LastAdministrator => last_administrator(),
        Error::RoleInUse(why) => Fault::precondition(ErrorReason::RoleInUse, format!("the role {why}")).into(),
        Error::Field { field, description } => Fault::field(field, description).into(),
        Error::Busy => busy(),
        Error::DatabaseAway(_) => fault::unavailable(&error),
        Error::Database(_)
        | Error::Hash(_)
        | Error::Sign(_)
        | Error::Seal(_)
        | Error::SigningKey(_)
        | Error::Totp(_)
        | Error::Task(_) => fault::internal(&error),
    }
}

/// The same, for a method that calls the password `new_password`.
pub(super) fn status_of_new_password(error: Error) -> Status {
    match error {
        Error::PasswordRefused(refusal) => {
            refused_field("new_password", ErrorReason::PasswordRefused, refusal.to_string())
        }
        other => status(other),
    }
}

/// The same, for a method that calls the code `totp_code`.
pub(super) fn status_of_totp_code(error: Error) -> Status {
    match error {
        Error::CodeInvalid => {
            refused_field("totp_code", ErrorReason::CodeInvalid, "is wrong or used; wait for the next")
        }
        other => status(other),
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

fn exists(name: &str) -> Status {
    let fault = Fault::new(Code::AlreadyExists, ErrorReason::ResourceExists, format!("{name} exists already"));
    fault.metadata("resource", name).into()
}

fn suspended() -> Status {
    Fault::new(Code::PermissionDenied, ErrorReason::AccountSuspended, "this account is suspended").into()
}

fn throttled(after: Duration) -> Status {
    let message = format!("too many attempts; try again in {} seconds", after.as_secs().max(1));
    Fault::new(Code::ResourceExhausted, ErrorReason::Throttled, message).retry_after(after).into()
}

fn last_administrator() -> Status {
    let message = "nobody would be left to administer Kontor; make somebody else administrator first";
    Fault::precondition(ErrorReason::LastAdministrator, message).into()
}

fn busy() -> Status {
    Fault::overloaded("too many are signing in right now; try again in a second").into()
}
