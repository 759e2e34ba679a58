//! Bounds each call in time, and puts right what tonic 0.14 answers oddly: a call that ran into its deadline would end
//! CANCELLED, and a request over the size limit OUT_OF_RANGE.

use std::time::Duration;

use http::{HeaderMap, Request, Response};
use tokio::time::timeout;
use tonic::body::Body;
use tonic::{Code, Status};

use super::middleware::{Inner, Middleware, Outcome};
use crate::fault::{ErrorReason, Fault};

/// How long a call may take whose caller says nothing.
const CALL_DEFAULT: Duration = Duration::from_secs(60);
/// The longest a call may take, whatever its caller allows: a large upload on a slow line.
const CALL_MAX: Duration = Duration::from_secs(300);
/// We answer this much before the caller stops waiting, so that the answer still arrives.
const HEAD_START: Duration = Duration::from_millis(5);

#[derive(Clone)]
pub(crate) struct Deadline;

impl Middleware for Deadline {
    fn handle<S: Inner>(&self, request: Request<Body>, mut inner: S) -> impl Future<Output = Outcome> + Send + 'static {
        let allowed = allowed_time(request.headers());
        let response = inner.call(request);
        async move {
            match timeout(allowed, response).await {
                Ok(response) => response.map(normalize_tonic_status),
                Err(_) => Ok(deadline_passed().into_http()),
            }
        }
    }
}

fn allowed_time(headers: &HeaderMap) -> Duration {
    let asked = headers.get("grpc-timeout").and_then(|value| parse_timeout(value.to_str().ok()?));
    let allowed = asked.map_or(CALL_DEFAULT, |asked| asked.min(CALL_MAX));
    if allowed > HEAD_START * 2 { allowed - HEAD_START } else { allowed }
}

/// `grpc-timeout`: at most eight digits and a unit (gRPC over HTTP/2, "Requests").
fn parse_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let amount: u64 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    match unit {
        "H" => Some(Duration::from_secs(amount * 3600)),
        "M" => Some(Duration::from_secs(amount * 60)),
        "S" => Some(Duration::from_secs(amount)),
        "m" => Some(Duration::from_millis(amount)),
        "u" => Some(Duration::from_micros(amount)),
        "n" => Some(Duration::from_nanos(amount)),
        _ => None,
    }
}

fn normalize_tonic_status(response: Response<Body>) -> Response<Body> {
    let code = response.headers().get("grpc-status").map(|value| Code::from_bytes(value.as_bytes()));
    let is_ours = response.headers().contains_key("grpc-status-details-bin");
    match code {
        Some(Code::OutOfRange) if !is_ours => too_large().into_http(),
        Some(Code::Unimplemented) if !is_ours => unknown_method().into_http(),
        // Our own faults carry details; this is tonic about frames that are none, or no message where one is due.
        Some(Code::Internal) if !is_ours => malformed().into_http(),
        Some(_) | None => response,
    }
}

fn deadline_passed() -> Status {
    let message = "the call took longer than allowed; whether it was done is unknown";
    Fault::new(Code::DeadlineExceeded, ErrorReason::DeadlinePassed, message).into()
}

fn too_large() -> Status {
    let message = "the request is larger than 4 MiB";
    Fault::new(Code::ResourceExhausted, ErrorReason::RequestTooLarge, message).into()
}

fn malformed() -> Status {
    let message = "the request is not what gRPC asks for: one well-formed message";
    Fault::new(Code::InvalidArgument, ErrorReason::MalformedRequest, message).into()
}

fn unknown_method() -> Status {
    Fault::new(Code::Unimplemented, ErrorReason::MethodNotFound, "no such method here").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_as_grpc_writes_them() {
        assert_eq!(parse_timeout("5S"), Some(Duration::from_secs(5)));
        assert_eq!(parse_timeout("250m"), Some(Duration::from_millis(250)));
        assert_eq!(parse_timeout("99999999H").map(|d| d.min(CALL_MAX)), Some(CALL_MAX));
        for bad in ["", "S", "5", "5x", "-1S", "123456789S", "é"] {
            assert_eq!(parse_timeout(bad), None, "{bad}");
        }
    }
}
