//! Between the contract's messages and the domain. The payment token goes no further than here.

use kontor_proto::google::r#type::Money as WireMoney;
use kontor_proto::kontor::payment::v1 as pb;
use kontor_runtime::Fault;
use kontor_runtime::convert::{money_from_wire, money_to_wire, time_to_wire};
use kontor_types::Money;
use tonic::Status;

use crate::domain::{Ask, Behaviour, Payment, Request, State, Terms};

pub(super) fn authorize(request: pb::AuthorizeRequest) -> Result<(Request, Behaviour), Status> {
    let behaviour = Behaviour::of_token(&request.payment_token);
    let terms = Terms { order: request.order, amount: amount(request.amount.as_ref())?, behaviour };
    let authorization_key = request.idempotency_key.clone();
    Ok((Request { key: request.idempotency_key, authorization_key, ask: Ask::Authorize(terms) }, behaviour))
}

pub(super) fn capture(request: pb::CaptureRequest) -> Result<Request, Status> {
    let ask = Ask::Capture(amount(request.amount.as_ref())?);
    Ok(Request { key: request.idempotency_key, authorization_key: request.authorization_key, ask })
}

pub(super) fn void(request: pb::VoidRequest) -> Request {
    Request { key: request.idempotency_key, authorization_key: request.authorization_key, ask: Ask::Void }
}

pub(super) fn refund(request: pb::RefundRequest) -> Result<Request, Status> {
    let ask = Ask::Refund(amount(request.amount.as_ref())?);
    Ok(Request { key: request.idempotency_key, authorization_key: request.authorization_key, ask })
}

fn amount(amount: Option<&WireMoney>) -> Result<Money, Status> {
    money_from_wire("amount", amount.ok_or_else(|| Fault::field("amount", "is required"))?)
}

pub(super) fn payment(payment: Payment) -> pb::Payment {
    pb::Payment {
        id: payment.id.to_string(),
        authorization_key: payment.authorization_key,
        state: state(payment.state).into(),
        amount: payment.sums.map(|sums| money_to_wire(sums.authorized)),
        captured_amount: payment.sums.map(|sums| money_to_wire(sums.captured)),
        refunded_amount: payment.sums.map(|sums| money_to_wire(sums.refunded)),
        decline_code: payment.decline.map(|decline| decline.word().to_owned()).unwrap_or_default(),
        create_time: Some(time_to_wire(payment.create_time)),
    }
}

fn state(state: State) -> pb::payment::State {
    match state {
        State::Authorized => pb::payment::State::Authorized,
        State::Declined => pb::payment::State::Declined,
        State::InReview => pb::payment::State::InReview,
        State::Captured => pb::payment::State::Captured,
        State::Voided => pb::payment::State::Voided,
        State::Refunded => pb::payment::State::Refunded,
    }
}
