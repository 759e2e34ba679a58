//! The payment provider of [`Peers`]: keyed like a real one. Tokens choose what it does: `tok_decline`, `tok_review`, `tok_final` (which
//! can't be refunded); any other is approved.

use kontor_proto::google::r#type::Money;
use kontor_proto::kontor::payment::v1 as pb;
use kontor_proto::kontor::payment::v1::payment::State;
use kontor_proto::kontor::payment::v1::payment_provider_service_server::PaymentProviderService;
use tonic::{Request, Response, Status};

use crate::peers::Peers;

impl Peers {
    /// The person who reviews payments has approved all of them.
    pub fn approve(&self) {
        let approve = |state: &mut crate::peers::State| {
            for payment in state.payments.values_mut().filter(|payment| payment.state() == State::InReview) {
                payment.set_state(State::Authorized);
            }
            Ok(())
        };
        self.act("", approve).unwrap();
    }

    pub fn payments(&self) -> Vec<State> {
        let payments = self.act("", |state| Ok(state.payments.values().map(pb::Payment::state).collect()));
        payments.unwrap().into_inner()
    }

    /// Does something to a payment, and answers with it; astray, if that was ordered.
    fn pay(
        &self,
        method: &'static str,
        key: &str,
        work: impl FnOnce(&mut pb::Payment) -> Result<(), Status>,
    ) -> Result<Response<pb::Payment>, Status> {
        let astray = self.astray(method);
        self.act(method, |state| {
            if astray {
                let (authorization_key, state) = ("another".into(), State::Captured.into());
                return Ok(pb::Payment { authorization_key, state, ..Default::default() });
            }
            let new = pb::Payment { authorization_key: key.into(), state: State::Voided.into(), ..Default::default() };
            let payment = state.payments.entry(key.into()).or_insert(new);
            work(payment)?;
            Ok(payment.clone())
        })
    }
}

#[tonic::async_trait]
impl PaymentProviderService for Peers {
    async fn authorize(&self, request: Request<pb::AuthorizeRequest>) -> Result<Response<pb::Payment>, Status> {
        let request = request.into_inner();
        self.pass_gate().await;
        self.pay("Authorize", &request.idempotency_key, |payment| {
            if payment.amount.is_some() {
                return Ok(());
            }
            payment.amount = request.amount;
            match request.payment_token.as_str() {
                "tok_decline" => {
                    payment.decline_code = "card_declined".into();
                    payment.set_state(State::Declined);
                }
                "tok_review" => payment.set_state(State::InReview),
                "tok_final" => {
                    payment.id = "final".into();
                    payment.set_state(State::Authorized);
                }
                _ => payment.set_state(State::Authorized),
            }
            Ok(())
        })
    }

    async fn capture(&self, request: Request<pb::CaptureRequest>) -> Result<Response<pb::Payment>, Status> {
        let request = request.into_inner();
        self.pay("Capture", &request.authorization_key, |payment| {
            if !matches!(payment.state(), State::Authorized | State::Captured) {
                return Err(Status::failed_precondition("nothing is authorised"));
            }
            payment.captured_amount = request.amount;
            payment.set_state(State::Captured);
            Ok(())
        })
    }

    async fn void(&self, request: Request<pb::VoidRequest>) -> Result<Response<pb::Payment>, Status> {
        self.pay("Void", &request.into_inner().authorization_key, |payment| {
            if payment.captured_amount.is_some() {
                return Err(Status::failed_precondition("it is captured"));
            }
            payment.set_state(State::Voided);
            Ok(())
        })
    }

    async fn refund(&self, request: Request<pb::RefundRequest>) -> Result<Response<pb::Payment>, Status> {
        let request = request.into_inner();
        let asked = request.amount.as_ref().map_or(0, |amount| amount.units);
        self.act("Refund", |state| {
            let payment = state.payments.get_mut(&request.authorization_key);
            let payment = payment.ok_or_else(|| Status::not_found("never seen"))?;
            if payment.id == "final" {
                return Err(Status::failed_precondition("this can't be refunded"));
            }
            if state.refunds.insert(request.idempotency_key, asked).is_none() {
                let units = asked + payment.refunded_amount.as_ref().map_or(0, |given| given.units);
                payment.refunded_amount = Some(Money { currency_code: "USD".into(), units, nanos: 0 });
            }
            Ok(payment.clone())
        })
    }

    async fn look_up(&self, request: Request<pb::LookUpRequest>) -> Result<Response<pb::Payment>, Status> {
        let key = request.into_inner().authorization_key;
        self.act("LookUp", |state| state.payments.get(&key).cloned().ok_or_else(|| Status::not_found("never seen")))
    }
}
