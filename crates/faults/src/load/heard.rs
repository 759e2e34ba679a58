//! What a caller makes of an answer, or of none.

use kontor_runtime::fault::{ErrorReason, reason_of};
use tonic::{Code, Status};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard<T> {
    Done(T),
    /// It was refused, for this reason of the contract; nothing was done.
    Refused(String),
    /// Nobody knows whether it was done: the same call is sent again.
    Nothing(String),
    /// The server says that it is at fault, which it never should be. The same call is sent again too.
    Fault(String),
}

pub(crate) fn heard<T>(answer: Result<tonic::Response<T>, Status>) -> Heard<T> {
    match answer {
        Ok(answer) => Heard::Done(answer.into_inner()),
        Err(status) => meaning(&status),
    }
}

fn meaning<T>(status: &Status) -> Heard<T> {
    let reason = reason_of(status);
    let text = format!("{:?}: {}", status.code(), status.message());
    match status.code() {
        Code::Internal | Code::DataLoss if reason.is_some() => Heard::Fault(text),
        // Without a reason they are the transport's own words.
        Code::Internal
        | Code::DataLoss
        | Code::Unavailable
        | Code::DeadlineExceeded
        | Code::Unknown
        | Code::Cancelled
        | Code::ResourceExhausted
        | Code::Aborted => Heard::Nothing(text),
        Code::Ok
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Unauthenticated => {
            Heard::Refused(reason.map_or(text, |reason: ErrorReason| reason.as_str_name().into()))
        }
    }
}

/// What an HTTP status means, with the answer's body read as an object of JSON.
pub(super) fn http(status: u16, body: &serde_json::Value) -> Heard<()> {
    let reason = body["reason"].as_str().unwrap_or_default().to_owned();
    let text = format!("{status} {reason}: {}", body["detail"].as_str().unwrap_or_default());
    match status {
        200 => Heard::Done(()),
        500 => Heard::Fault(text),
        // Aborted, too many at once, or too late.
        408 | 409 | 429 | 499 | 501.. => Heard::Nothing(text),
        _ if reason.is_empty() => Heard::Refused(text),
        _ => Heard::Refused(reason),
    }
}

#[cfg(test)]
mod tests {
    use kontor_runtime::Fault;
    use serde_json::json;

    use super::*;

    fn of(status: Status) -> Heard<()> {
        meaning(&status)
    }

    #[test]
    fn a_fault_of_the_server_is_told_from_a_broken_connection() {
        let own: Status = Fault::new(Code::Internal, ErrorReason::InternalFault, "oh").into();
        assert!(matches!(of(own), Heard::Fault(_)));
        assert!(matches!(of(Status::internal("h2 protocol error")), Heard::Nothing(_)));
        assert!(matches!(http(500, &json!({})), Heard::Fault(_)));
    }

    #[test]
    fn after_no_answer_the_call_is_sent_again_and_after_a_refusal_it_is_not() {
        let refused: Status = Fault::precondition(ErrorReason::InsufficientStock, "0 left").into();
        assert_eq!(of(refused), Heard::Refused("INSUFFICIENT_STOCK".into()));
        assert!(matches!(of(Fault::unavailable("later").into()), Heard::Nothing(_)));
        assert!(matches!(of(Status::unknown("transport error")), Heard::Nothing(_)));
        assert_eq!(http(400, &json!({"reason": "CART_EMPTY"})), Heard::Refused("CART_EMPTY".into()));
        for status in [409, 429, 502, 503, 504] {
            assert!(matches!(http(status, &json!({})), Heard::Nothing(_)), "{status}");
        }
    }
}
