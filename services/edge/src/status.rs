//! A service's `tonic::Status` as a [`Problem`]: its details decoded, tonic's own quirks put right, and what is not for callers
//! held back.

use std::error::Error;
use std::time::Duration;

use http::StatusCode;
use kontor_proto::kontor::error::v1::ErrorReason;
use kontor_runtime::fault::code_name;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, ErrorInfo, StatusExt};

use crate::problem::{Problem, Violation};

/// The problem that a failed call to the service is to the caller.
pub(crate) fn problem(status: &Status, service: &str) -> Box<Problem> {
    let details = status.get_error_details();
    let mut problem = match details.error_info() {
        Some(info) if !is_fault(status) => stated(status, info),
        Some(_) => Problem::fault(status.message()),
        None => inferred(status, service),
    };
    problem.cause = Some(status.message().to_owned());
    if problem.code == status.code() && !is_fault(status) {
        problem.violations = violations(&details);
    }
    let delay = details.retry_info().and_then(|info| info.retry_delay);
    problem.retry_after = problem.retry_after.or(delay.map(whole_seconds));
    problem
}

/// The call took longer than it may.
pub(crate) fn deadline_passed() -> Box<Problem> {
    let detail = "the call took too long; whether something was done is unknown, and sending it again with the same \
                  request id is safe";
    Problem::new(Code::DeadlineExceeded, ErrorReason::DeadlinePassed, detail)
}

/// The service says what is wrong, by the contract.
fn stated(status: &Status, info: &ErrorInfo) -> Box<Problem> {
    let mut problem = Problem::new(status.code(), ErrorReason::Unspecified, status.message());
    problem.reason.clone_from(&info.reason);
    problem.domain.clone_from(&info.domain);
    problem.metadata = info.metadata.clone().into_iter().collect();
    if info.reason == ErrorReason::RequestTooLarge.as_str_name() {
        problem.status = StatusCode::PAYLOAD_TOO_LARGE;
    }
    problem
}

/// tonic, or something between, ended the call.
fn inferred(status: &Status, service: &str) -> Box<Problem> {
    if is_expired(status) {
        return deadline_passed();
    }
    if is_cut(status) {
        return unreachable(service);
    }
    if is_fault(status) {
        return Problem::fault(status.message());
    }
    if is_oversized(status) {
        let detail = "the request is larger than the service takes";
        return Problem::new(Code::ResourceExhausted, ErrorReason::RequestTooLarge, detail)
            .with_status(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let reason = match status.code() {
        Code::Unimplemented => ErrorReason::MethodNotFound,
        Code::NotFound => ErrorReason::ResourceNotFound,
        Code::AlreadyExists => ErrorReason::ResourceExists,
        Code::InvalidArgument | Code::OutOfRange => ErrorReason::FieldViolation,
        Code::Unauthenticated => ErrorReason::TokenInvalid,
        Code::PermissionDenied => ErrorReason::PermissionMissing,
        Code::DeadlineExceeded => ErrorReason::DeadlinePassed,
        Code::Unavailable => ErrorReason::DependencyUnavailable,
        Code::Ok | Code::Unknown | Code::Internal | Code::DataLoss => ErrorReason::InternalFault,
        Code::Cancelled | Code::ResourceExhausted | Code::FailedPrecondition | Code::Aborted => {
            ErrorReason::Unspecified
        }
    };
    let mut problem = Problem::new(status.code(), reason, status.message());
    if reason == ErrorReason::Unspecified {
        problem.reason = code_name(status.code()).to_owned();
    }
    problem
}

fn unreachable(service: &str) -> Box<Problem> {
    let detail = format!("{service} can't be reached right now; try again");
    let mut problem = Problem::new(Code::Unavailable, ErrorReason::DependencyUnavailable, detail);
    problem.retry_after = Some(1);
    problem
}

/// A fault of the service: its message is not for callers.
fn is_fault(status: &Status) -> bool {
    matches!(status.code(), Code::Internal | Code::DataLoss | Code::Unknown)
}

/// The connection could not be made, or broke. tonic has other codes as well, for a peer that ends in the middle of a call and for what
/// HTTP/2 calls an error: UNKNOWN, CANCELLED, INTERNAL, RESOURCE_EXHAUSTED.
fn is_cut(status: &Status) -> bool {
    let text = status.message();
    let is_local = status.source().is_some() || text == "transport error" || text.starts_with("h2 protocol error");
    status.code() == Code::Unavailable || is_local
}

/// tonic's own deadline ends a call as CANCELLED, on both sides.
fn is_expired(status: &Status) -> bool {
    status.code() == Code::DeadlineExceeded || status.code() == Code::Cancelled && status.message() == "Timeout expired"
}

/// tonic has OUT_OF_RANGE for messages above its limit.
fn is_oversized(status: &Status) -> bool {
    status.code() == Code::OutOfRange && status.message().contains("message length too large")
}

fn violations(details: &ErrorDetails) -> Vec<Violation> {
    let fields = details.bad_request().into_iter().flat_map(|bad| &bad.field_violations);
    let fields = fields.map(|it| Violation { field: json_path(&it.field), description: it.description.clone() });
    let conditions = details.precondition_failure().into_iter().flat_map(|failure| &failure.violations);
    let conditions =
        conditions.map(|it| Violation { field: subject(&it.subject), description: it.description.clone() });
    fields.chain(conditions).collect()
}

/// A subject is a field of the request, or a resource, whose name stays as it is.
fn subject(subject: &str) -> String {
    if subject.contains('/') { subject.to_owned() } else { json_path(subject) }
}

/// `cart.items[2].unit_price` as JSON spells it: `cart.items[2].unitPrice`. Keys of maps, in brackets, stay as they are.
pub(crate) fn json_path(path: &str) -> String {
    let (mut json, mut depth, mut upper) = (String::with_capacity(path.len()), 0_usize, false);
    for letter in path.chars() {
        match letter {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '_' if depth == 0 => {
                upper = true;
                continue;
            }
            _ => {}
        }
        json.push(if upper { letter.to_ascii_uppercase() } else { letter });
        upper = false;
    }
    json
}

/// Rounded up, for `Retry-After` knows nothing finer (RFC 9110, section 10.2.3).
fn whole_seconds(delay: Duration) -> u64 {
    delay.as_secs() + u64::from(delay.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use tonic::{Code, Status};

    use super::{json_path, problem};

    fn told(status: &Status) -> (u16, String, String) {
        let problem = problem(status, "auth");
        (problem.status.as_u16(), problem.reason, problem.detail)
    }

    #[test]
    fn field_paths_are_spelt_as_in_json() {
        assert_eq!(json_path("cart.items[2].unit_price"), "cart.items[2].unitPrice");
        assert_eq!(json_path("lines[0].options[\"a_b\"]"), "lines[0].options[\"a_b\"]");
        assert_eq!(json_path("]_a_"), "]A");
    }

    #[test]
    fn faults_and_cut_connections_tell_nothing_of_the_inside() {
        for code in [Code::Internal, Code::Unknown, Code::DataLoss, Code::Unavailable] {
            let (_, _, detail) = told(&Status::new(code, "relation \"users\" does not exist"));
            assert!(!detail.contains("relation"), "{code:?}");
        }
    }

    #[test]
    fn tonics_quirks_are_put_right() {
        let told = |code, text| {
            let (status, reason, _) = told(&Status::new(code, text));
            (status, reason)
        };
        assert_eq!(told(Code::Cancelled, "Timeout expired"), (504, "DEADLINE_PASSED".into()));
        for (code, text) in [
            (Code::Unknown, "transport error"),
            (Code::ResourceExhausted, "h2 protocol error: error reading a body from connection"),
            (Code::Internal, "h2 protocol error: http2 error"),
        ] {
            assert_eq!(told(code, text), (503, "DEPENDENCY_UNAVAILABLE".into()), "{text}");
        }
        let text = "Error, decoded message length too large: found 5 bytes, the limit is: 4 bytes";
        assert_eq!(told(Code::OutOfRange, text), (413, "REQUEST_TOO_LARGE".into()));
        assert_eq!(told(Code::Cancelled, "by the peer"), (499, "CANCELLED".into()));
    }

    #[test]
    fn every_code_has_its_status() {
        let table = [
            (Code::InvalidArgument, 400),
            (Code::FailedPrecondition, 400),
            (Code::OutOfRange, 400),
            (Code::Unauthenticated, 401),
            (Code::PermissionDenied, 403),
            (Code::NotFound, 404),
            (Code::AlreadyExists, 409),
            (Code::Aborted, 409),
            (Code::ResourceExhausted, 429),
            (Code::Cancelled, 499),
            (Code::Internal, 500),
            (Code::Unknown, 500),
            (Code::DataLoss, 500),
            (Code::Unimplemented, 501),
            (Code::Unavailable, 503),
            (Code::DeadlineExceeded, 504),
        ];
        for (code, status) in table {
            assert_eq!(told(&Status::new(code, "")).0, status, "{code:?}");
        }
        assert_eq!(problem(&Status::not_found(""), "auth").status, StatusCode::NOT_FOUND);
    }
}
