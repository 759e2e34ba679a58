//! The payment provider, by the contract that any provider implements.

use kontor_proto::kontor::payment::v1 as pb;
use kontor_proto::kontor::payment::v1::payment_provider_service_client::PaymentProviderServiceClient;
use kontor_runtime::{Peer, convert};
use kontor_types::Money;
use kontor_types::ids::OrderId;
use tonic::{Response, Status};

use crate::domain::saga::Answer;

/// The payment provider, as this service sees it.
#[derive(Clone)]
pub struct Payments {
    provider: PaymentProviderServiceClient<Peer>,
}

impl Payments {
    /// Over a peer.
    pub fn new(peer: Peer) -> Self {
        Self { provider: PaymentProviderServiceClient::new(peer) }
    }

    /// Holds the money.
    pub async fn authorize(&self, order: OrderId, amount: Money, payment_token: &str) -> Answer {
        let request = pb::AuthorizeRequest {
            idempotency_key: key(order, "auth"),
            order: order.to_string(),
            amount: Some(convert::money_to_wire(amount)),
            payment_token: payment_token.to_owned(),
        };
        read(self.provider.clone().authorize(request).await)
    }

    /// Takes the money.
    pub async fn capture(&self, order: OrderId, amount: Money) -> Answer {
        let request = pb::CaptureRequest {
            idempotency_key: key(order, "capture"),
            authorization_key: key(order, "auth"),
            amount: Some(convert::money_to_wire(amount)),
        };
        match read(self.provider.clone().capture(request).await) {
            answer @ Answer::Captured => answer,
            _ => Answer::Unknown,
        }
    }

    /// Lets the money go.
    pub async fn void(&self, order: OrderId) -> Answer {
        let request = pb::VoidRequest { idempotency_key: key(order, "void"), authorization_key: key(order, "auth") };
        match read(self.provider.clone().void(request).await) {
            // Let go, or never held.
            Answer::Voided | Answer::Declined(_) => Answer::Voided,
            _ => Answer::Unknown,
        }
    }
}

/// The key of a call: the same however often it is sent. An order is paid in one attempt, the first.
fn key(order: OrderId, call: &str) -> String {
    format!("{}:{call}:1", order.0)
}

fn read(answer: Result<Response<pb::Payment>, Status>) -> Answer {
    use pb::payment::State;
    let payment = match answer {
        Ok(answer) => answer.into_inner(),
        Err(status) => {
            tracing::warn!(code = ?status.code(), message = status.message(), "the provider gave no usable answer");
            return Answer::Unknown;
        }
    };
    match payment.state() {
        State::Authorized => Answer::Authorized,
        State::Captured => Answer::Captured,
        State::Declined => Answer::Declined(payment.decline_code),
        State::InReview => Answer::InReview,
        State::Voided => Answer::Voided,
        State::Refunded | State::Unspecified => Answer::Unknown,
    }
}
