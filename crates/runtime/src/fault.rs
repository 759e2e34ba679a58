//! Errors on the wire (AIP-193): a gRPC code, a reason from the contract, a message for people, and details for programs.
//!
//! A [`Fault`] is built where an operation's error meets the wire, and only there. Faults of our own are logged in full by
//! [`internal`] and leave as a fixed sentence.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::time::Duration;

pub use kontor_proto::kontor::error::v1::ErrorReason;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use kontor_proto::codec::ERROR_DOMAIN;

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

    /// RESOURCE_EXHAUSTED: nothing was done, since too much is waiting; with the advice to try again.
    pub fn overloaded(message: impl Into<String>) -> Self {
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
        Status::with_error_details(fault.code, fault.message, fault.details)
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
