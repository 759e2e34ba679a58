//! How errors look on the wire: the only place where they become a status.

use kontor_runtime::Fault;
use kontor_runtime::fault::{self, ErrorReason};
use tonic::{Code, Status};

use crate::book::BookError;
use crate::domain::Refusal;
use crate::ops::CallError;

impl From<CallError> for Status {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Book(BookError::Refused(refusal)) => refused(&refusal),
            CallError::Book(BookError::Closed(closed)) => fault::unavailable(&closed),
            CallError::Staged => Fault::unavailable("this failure was asked for by the payment token").into(),
        }
    }
}

fn refused(refusal: &Refusal) -> Status {
    let message = refusal.to_string();
    match refusal {
        Refusal::KeyReused => Fault::new(Code::InvalidArgument, ErrorReason::IdempotencyKeyReused, message)
            .violation("idempotency_key", "was used before, with another request"),
        Refusal::UnknownAuthorization(key) => {
            Fault::new(Code::NotFound, ErrorReason::ResourceNotFound, message).metadata("resource", key)
        }
        Refusal::WrongState(state) => wrong_state(message).metadata("state", state.word()),
        Refusal::RefundTooLarge { left } => {
            wrong_state(message).metadata("refundable", left.amount()).metadata("currency_code", left.currency.code())
        }
        Refusal::Amount(_) => Fault::field("amount", message),
    }
    .into()
}

fn wrong_state(message: String) -> Fault {
    Fault::precondition(ErrorReason::PaymentState, message.clone()).failure("payment", message)
}
