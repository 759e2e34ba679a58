//! What errors on accounts are on the wire: the one place where they get a code.

use kontor_runtime::fault::{self, ErrorReason, Fault};
use kontor_runtime::{access, token};
use tonic::{Code, Status};

use crate::ops::Error;

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::PasswordRefused { field, refusal } => {
                refused_field(field, ErrorReason::PasswordRefused, &refusal.to_string())
            }
            Error::CodeInvalid => {
                refused_field("code", ErrorReason::CodeInvalid, "is wrong, used or expired; ask for a new one")
            }
            Error::TotpCodeInvalid => {
                refused_field("totp_code", ErrorReason::CodeInvalid, "is wrong or used; wait for the next")
            }
            Error::CredentialsInvalid => {
                Fault::new(Code::Unauthenticated, ErrorReason::CredentialsInvalid, text).into()
            }
            Error::RefreshTokenInvalid => {
                Fault::new(Code::Unauthenticated, ErrorReason::RefreshTokenInvalid, text).into()
            }
            Error::ChallengeInvalid => Fault::new(Code::Unauthenticated, ErrorReason::ChallengeInvalid, text).into(),
            Error::NotFound(name) => Fault::not_found(&name).into(),
            Error::Exists(name) => {
                Fault::new(Code::AlreadyExists, ErrorReason::ResourceExists, text).metadata("resource", name).into()
            }
            Error::PermissionMissing(permission) => access::missing_permission(&permission),
            Error::TokenRevoked => token::revoked(),
            Error::NotSignedIn => access::no_token(),
            Error::Throttled(after) => {
                Fault::new(Code::ResourceExhausted, ErrorReason::Throttled, text).retry_after(after).into()
            }
            Error::Suspended => Fault::new(Code::PermissionDenied, ErrorReason::AccountSuspended, text).into(),
            Error::SecondFactorState(_) => Fault::precondition(ErrorReason::SecondFactorState, text).into(),
            Error::LastAdministrator => Fault::precondition(ErrorReason::LastAdministrator, text).into(),
            Error::RoleInUse(_) => Fault::precondition(ErrorReason::RoleInUse, text).into(),
            Error::Field { field, description } => Fault::field(field, description).into(),
            Error::Busy => Fault::overloaded("password_hashes", text).into(),
            Error::Store(error) => fault::store(&error),
            Error::Hash(_)
            | Error::Sign(_)
            | Error::Seal(_)
            | Error::SigningKey(_)
            | Error::Totp(_)
            | Error::Task(_) => fault::internal(&error),
        }
    }
}

/// INVALID_ARGUMENT for one field, with a reason of its own.
fn refused_field(path: &str, reason: ErrorReason, description: &str) -> Status {
    let message = format!("{path}: {description}");
    Fault::new(Code::InvalidArgument, reason, message).violation(path, description).into()
}
