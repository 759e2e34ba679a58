//! `kontor.payment.v1.PaymentProviderService` on the wire.

mod convert;
mod error;

use std::sync::Arc;

use kontor_proto::kontor::payment::v1 as pb;
use pb::payment_provider_service_server::PaymentProviderService;
use tonic::{Request, Response, Status};

use crate::domain;
use crate::ops::Provider;

pub(crate) struct PaymentGrpc(pub(crate) Arc<Provider>);

type Answer = Result<Response<pb::Payment>, Status>;

fn answer(payment: domain::Payment) -> Answer {
    Ok(Response::new(convert::payment(payment)))
}

#[tonic::async_trait]
impl PaymentProviderService for PaymentGrpc {
    async fn authorize(&self, request: Request<pb::AuthorizeRequest>) -> Answer {
        let (request, behaviour) = convert::authorize(request.into_inner())?;
        answer(self.0.authorize(&request, behaviour).await?)
    }

    async fn capture(&self, request: Request<pb::CaptureRequest>) -> Answer {
        answer(self.0.capture(&convert::capture(request.into_inner())?).await?)
    }

    async fn void(&self, request: Request<pb::VoidRequest>) -> Answer {
        answer(self.0.void(&convert::void(request.into_inner())).await?)
    }

    async fn refund(&self, request: Request<pb::RefundRequest>) -> Answer {
        answer(self.0.refund(&convert::refund(request.into_inner())?).await?)
    }

    async fn look_up(&self, request: Request<pb::LookUpRequest>) -> Answer {
        answer(self.0.look_up(&request.get_ref().authorization_key).await?)
    }
}
