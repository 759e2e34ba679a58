//! `kontor.order.v1.OrderService`.

use kontor_proto::kontor::order::v1 as pb;
use kontor_proto::kontor::order::v1::order_service_server::OrderService;
use kontor_runtime::{Caller, Fault, convert};
use tonic::{Request, Response, Status};

use super::parse;
use crate::ops::{Orders, PlaceOrder};
use crate::wire;

/// What the permission to read everybody's orders is called in the contract.
const READ_ALL: &str = "order.read";

pub(super) struct OrderApi(pub(super) Orders);

#[tonic::async_trait]
impl OrderService for OrderApi {
    async fn place_order(&self, request: Request<pb::PlaceOrderRequest>) -> Result<Response<pb::Order>, Status> {
        let caller = Caller::of(&request);
        let order = self.0.place(&place(&caller, request.into_inner())?).await?;
        let cart = order.snapshot.cart.to_string();
        Ok(Response::new(pb::Order { cart, ..wire::order(&order) }))
    }

    async fn get_order(&self, request: Request<pb::GetOrderRequest>) -> Result<Response<pb::Order>, Status> {
        let caller = Caller::of(&request);
        let id = parse::order(&request.into_inner().name)?;
        let order = self.0.get_order(id, caller.user(), caller.may(READ_ALL)).await?;
        Ok(Response::new(wire::order(&order)))
    }

    async fn cancel_order(&self, _: Request<pb::CancelOrderRequest>) -> Result<Response<pb::Order>, Status> {
        Err(Status::unimplemented("not yet"))
    }

    async fn refund_order(&self, _: Request<pb::RefundOrderRequest>) -> Result<Response<pb::Order>, Status> {
        Err(Status::unimplemented("not yet"))
    }

    async fn get_order_history(
        &self,
        _: Request<pb::GetOrderHistoryRequest>,
    ) -> Result<Response<pb::GetOrderHistoryResponse>, Status> {
        Err(Status::unimplemented("not yet"))
    }
}

fn place(caller: &Caller, mut request: pb::PlaceOrderRequest) -> Result<PlaceOrder, Status> {
    let key = parse::key(caller, "PlaceOrder", &mut request, |request| &mut request.request_id);
    let expected = request.expected_total.ok_or_else(|| Fault::field("expected_total", "is required"))?;
    Ok(PlaceOrder {
        cart: parse::cart(&request.cart)?,
        user: caller.user(),
        expected_total: convert::money_from_wire("expected_total", &expected)?,
        payment_token: request.payment_token.into(),
        key,
    })
}
