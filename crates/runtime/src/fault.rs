//! Errors on the wire (AIP-193): a gRPC code, a reason from the contract, a message for people, and details for programs.
//!
//! A [`Fault`] is built where an operation's error meets the wire, and only there. Faults of our own are logged in full by
//! [`internal`] and leave as a fixed sentence.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::time::Duration;

use kontor_postgres::StoreError;
pub use kontor_proto::kontor::error::v1::ErrorReason;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use kontor_proto::codec::ERROR_DOMAIN;
use kontor_proto::status::status;

use crate::metrics;

/// How long a caller waits before it tries again after UNAVAILABLE.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// An error on its way to a caller.
#[derive(Debug)]
pub struct Fault {
    code: Code,
    reason: ErrorReason,
    message: String,
    metadata: HashMap<String, String>,
    details: ErrorDetails,
}

impl Fault {
    /// With its code, its reason and its message for people.
    pub fn new(code: Code, reason: ErrorReason, message: impl Into<String>) -> Self {
        let (metadata, details) = (HashMap::new(), ErrorDetails::new());
        Self { code, reason, message: message.into(), metadata, details }
    }

    /// INVALID_ARGUMENT for one field that breaks a rule which the contract can't state.
    pub fn field(path: &str, description: impl Into<String>) -> Self {
        let description = description.into();
        let message = format!("{path}: {description}");
        Self::new(Code::InvalidArgument, ErrorReason::FieldViolation, message).violation(path, description)
    }

    /// NOT_FOUND for a resource that does not exist, or that the caller may not see.
    pub fn not_found(name: &str) -> Self {
        let message = format!("{name} does not exist");
        Self::new(Code::NotFound, ErrorReason::ResourceNotFound, message).metadata("resource", name)
    }

    /// FAILED_PRECONDITION.
    pub fn precondition(reason: ErrorReason, message: impl Into<String>) -> Self {
        Self::new(Code::FailedPrecondition, reason, message)
    }

    /// UNAVAILABLE, with the advice to try again.
    pub fn unavailable(message: impl Into<String>) -> Self {
        let mut fault = Self::new(Code::Unavailable, ErrorReason::DependencyUnavailable, message);
        fault.details.set_retry_info(Some(RETRY_DELAY));
        fault
    }

    /// RESOURCE_EXHAUSTED: nothing was done, since too much is waiting; with the advice to try again. Metrics count it by `queue`, the
    /// name of what is full.
    pub fn overloaded(queue: &'static str, message: impl Into<String>) -> Self {
        metrics::request_shed(queue);
        let mut fault = Self::new(Code::ResourceExhausted, ErrorReason::Overloaded, message);
        fault.details.set_retry_info(Some(RETRY_DELAY));
        fault
    }

    /// Adds a value that programs may need. Keys are lowerCamelCase or snake_case words (AIP-193).
    #[must_use]
    pub fn metadata(mut self, key: &str, value: impl Into<String>) -> Self {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// Adds a field at fault (`google.rpc.BadRequest`).
    #[must_use]
    pub fn violation(mut self, path: &str, description: impl Into<String>) -> Self {
        self.details.add_bad_request_violation(path, description);
        self
    }

    /// Says after how long a repetition may do better (`google.rpc.RetryInfo`).
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.details.set_retry_info(Some(delay));
        self
    }

    /// Adds a broken precondition (`google.rpc.PreconditionFailure`): what is at fault, and how.
    #[must_use]
    pub fn failure(mut self, subject: &str, description: impl Into<String>) -> Self {
        self.details.add_precondition_failure_violation(self.reason.as_str_name(), subject, description);
        self
    }
}

impl From<Fault> for Status {
    fn from(mut fault: Fault) -> Self {
        fault.details.set_error_info(fault.reason.as_str_name(), ERROR_DOMAIN, fault.metadata);
        status(fault.code, &fault.message, fault.details)
    }
}

/// INTERNAL: writes the cause to the log, once, and tells the caller nothing of it.
pub fn internal(cause: &(dyn StdError + 'static)) -> Status {
    tracing::error!(error = %chain(cause), "internal fault");
    Fault::new(Code::Internal, ErrorReason::InternalFault, "something went wrong on our side; it has been recorded")
        .into()
}

/// UNAVAILABLE because something that the call needs did not answer: writes the cause to the log.
pub fn unavailable(cause: &(dyn StdError + 'static)) -> Status {
    tracing::warn!(error = %chain(cause), "a dependency is unavailable");
    Fault::unavailable("a part that this call needs is not available right now; try again with the same request").into()
}

/// The status of what the service's own database could not do.
pub fn store(error: &StoreError) -> Status {
    match error {
        StoreError::Outage(_) => unavailable(error),
        StoreError::Refused(_) => internal(error),
        StoreError::KeyReused => {
            let fault = Fault::new(Code::InvalidArgument, ErrorReason::IdempotencyKeyReused, error.to_string());
            fault.violation("request_id", error.to_string()).into()
        }
    }
}

/// The name of a code, as google.rpc.Code spells it.
pub fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// An error with all its causes, in one line.
pub fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// The reason that a status carries, if it is one of ours.
pub fn reason_of(status: &Status) -> Option<ErrorReason> {
    let info = status.get_details_error_info()?;
    ErrorReason::from_str_name(&info.reason).filter(|_| info.domain == ERROR_DOMAIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_away_is_unavailable_and_what_it_refuses_is_told_to_the_log_only() {
        let away = store(&sqlx::Error::PoolTimedOut.into());
        assert_eq!((away.code(), reason_of(&away)), (Code::Unavailable, Some(ErrorReason::DependencyUnavailable)));
        let refused = store(&sqlx::Error::Protocol("secret".into()).into());
        assert_eq!((refused.code(), reason_of(&refused)), (Code::Internal, Some(ErrorReason::InternalFault)));
        assert!(!refused.message().contains("secret"));
        let reused = store(&StoreError::KeyReused);
        assert_eq!(
            (reused.code(), reason_of(&reused)),
            (Code::InvalidArgument, Some(ErrorReason::IdempotencyKeyReused))
        );
    }
}
