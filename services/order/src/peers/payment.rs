//! The payment provider, by the contract that any provider implements.

use kontor_proto::google::r#type::Money as WireMoney;
use kontor_proto::kontor::payment::v1 as pb;
use kontor_proto::kontor::payment::v1::payment::State;
use kontor_proto::kontor::payment::v1::payment_provider_service_client::PaymentProviderServiceClient;
use kontor_runtime::{Peer, convert};
use kontor_types::Money;
use tonic::{Code, Response, Status};

use super::failed;
use crate::domain::order::Order;
use crate::domain::refund::Refund;
use crate::domain::saga::Answer;

const PEER: &str = "the payment provider";

/// The payment provider, as this service sees it.
#[derive(Clone)]
pub struct Payments {
    provider: PaymentProviderServiceClient<Peer>,
}

/// An order's payment, as its calls name it. An order is paid in one attempt, the first, so that its keys are the same
/// however often a call is sent and by whomever.
#[derive(Clone, Copy, Debug)]
pub struct Paying<'a> {
    pub order: &'a Order,
}

impl Paying<'_> {
    fn key(&self, call: &str) -> String {
        format!("{}:{call}:1", self.order.id.0)
    }

    /// An answer about another payment is no answer.
    fn check_key(&self, payment: &pb::Payment) -> Result<(), String> {
        if payment.authorization_key == self.key("auth") {
            return Ok(());
        }
        Err(format!("{PEER} answered about {:?}", payment.authorization_key))
    }

    /// Nor is one about another amount.
    fn check(&self, payment: &pb::Payment) -> Result<(), String> {
        self.check_key(payment)?;
        let total = self.order.snapshot.total;
        let is_total = |sum: Option<&WireMoney>| amount(sum) == Some(total);
        match payment.state() {
            State::Authorized if !is_total(payment.amount.as_ref()) => Err(format!("{PEER} holds another amount")),
            State::Captured if !is_total(payment.captured_amount.as_ref()) => {
                Err(format!("{PEER} took another amount"))
            }
            _ => Ok(()),
        }
    }

    fn read(&self, answer: Result<Response<pb::Payment>, Status>) -> Answer {
        let payment = match answer {
            Ok(answer) => answer.into_inner(),
            Err(status) => return failed(PEER, &status),
        };
        if let Err(how) = self.check(&payment) {
            return Answer::Contradiction(how);
        }
        match payment.state() {
            State::Authorized => Answer::Authorized,
            State::Captured => Answer::Captured,
            State::Declined => Answer::Declined(payment.decline_code),
            State::InReview => Answer::InReview,
            State::Voided => Answer::Voided,
            state @ (State::Refunded | State::Unspecified) => {
                Answer::Contradiction(format!("{PEER} answered with a payment that is {}", state.as_str_name()))
            }
        }
    }
}

impl Payments {
    /// Over a peer.
    pub fn new(peer: Peer) -> Self {
        Self { provider: PaymentProviderServiceClient::new(peer) }
    }

    /// Holds the money.
    pub async fn authorize(&self, paying: Paying<'_>, payment_token: &str) -> Answer {
        let request = pb::AuthorizeRequest {
            idempotency_key: paying.key("auth"),
            order: paying.order.id.to_string(),
            amount: Some(convert::money_to_wire(paying.order.snapshot.total)),
            payment_token: payment_token.into(),
        };
        paying.read(self.provider.clone().authorize(request).await)
    }

    /// Takes the money.
    pub async fn capture(&self, paying: Paying<'_>) -> Answer {
        let request = pb::CaptureRequest {
            idempotency_key: paying.key("capture"),
            authorization_key: paying.key("auth"),
            amount: Some(convert::money_to_wire(paying.order.snapshot.total)),
        };
        paying.read(self.provider.clone().capture(request).await)
    }

    /// Lets the money go.
    pub async fn void(&self, paying: Paying<'_>) -> Answer {
        let request = pb::VoidRequest { idempotency_key: paying.key("void"), authorization_key: paying.key("auth") };
        match paying.read(self.provider.clone().void(request).await) {
            // Let go, or never held.
            Answer::Voided | Answer::Declined(_) => Answer::Voided,
            answer => answer,
        }
    }

    /// What became of the payment, after a call whose outcome is in doubt.
    pub async fn look_up(&self, paying: Paying<'_>) -> Answer {
        let request = pb::LookUpRequest { authorization_key: paying.key("auth") };
        match self.provider.clone().look_up(request).await {
            Err(status) if status.code() == Code::NotFound => Answer::NotDone,
            answer => paying.read(answer),
        }
    }

    /// Gives money back.
    pub async fn refund(&self, paying: Paying<'_>, refund: &Refund) -> Answer {
        let request = pb::RefundRequest {
            idempotency_key: format!("{}:refund:1", refund.id.0),
            authorization_key: paying.key("auth"),
            amount: Some(convert::money_to_wire(refund.amount)),
        };
        match self.provider.clone().refund(request).await {
            Ok(answer) => match paying.check_key(answer.get_ref()) {
                Ok(()) => Answer::Refunded,
                Err(how) => Answer::Contradiction(how),
            },
            Err(status) => match failed(PEER, &status) {
                Answer::Contradiction(why) => Answer::RefundRefused(why),
                answer => answer,
            },
        }
    }

    /// What became of a refund whose outcome is in doubt. Those of an order run one after the other, so that the sum tells.
    pub async fn look_up_refund(&self, paying: Paying<'_>, refund: &Refund) -> Answer {
        let request = pb::LookUpRequest { authorization_key: paying.key("auth") };
        let payment = match self.provider.clone().look_up(request).await {
            Ok(answer) => answer.into_inner(),
            Err(status) => return failed(PEER, &status),
        };
        if let Err(how) = paying.check_key(&payment) {
            return Answer::Contradiction(how);
        }
        let known = paying.order.refunded;
        let given =
            payment.refunded_amount.as_ref().map_or(Some(Money { minor: 0, ..known }), |given| amount(Some(given)));
        match given.filter(|given| given.currency == known.currency).map(|given| given.minor - known.minor) {
            Some(0) => Answer::NotDone,
            Some(more) if more == refund.amount.minor => Answer::Refunded,
            _ => Answer::Contradiction(format!("{PEER} has refunded {:?}", payment.refunded_amount)),
        }
    }
}

fn amount(amount: Option<&WireMoney>) -> Option<Money> {
    convert::money_from_wire("amount", amount?).ok()
}
