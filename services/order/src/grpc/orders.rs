//! `kontor.order.v1.OrderService`.

use kontor_proto::kontor::order::v1 as pb;
use kontor_proto::kontor::order::v1::order_service_server::OrderService;
use kontor_runtime::request::{key as idempotency_key, page_token};
use kontor_runtime::{Caller, Fault, convert};
use kontor_types::ids::VariantName;
use kontor_types::{PageSize, PageToken};
use tonic::{Request, Response, Status};

use super::parse;
use crate::domain::refund::RestockLine;
use crate::ops::{CancelOrder, Orders, PlaceOrder, RefundOrder};
use crate::wire;

/// What the permission to read everybody's orders is called in the contract.
const READ_ALL: &str = "order.read";
/// The same for calling everybody's orders off.
const CANCEL_ALL: &str = "order.cancel";

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

    async fn cancel_order(&self, request: Request<pb::CancelOrderRequest>) -> Result<Response<pb::Order>, Status> {
        let caller = Caller::of(&request);
        let mut request = request.into_inner();
        let key = idempotency_key(&caller, "CancelOrder", &mut request, |request| &mut request.request_id);
        let order = parse::order(&request.name)?;
        let (user, any) = (caller.user(), caller.may(CANCEL_ALL));
        let order = self.0.cancel(&CancelOrder { order, user, any, reason: request.reason, key }).await?;
        Ok(Response::new(wire::order(&order)))
    }

    async fn refund_order(&self, request: Request<pb::RefundOrderRequest>) -> Result<Response<pb::Order>, Status> {
        let caller = Caller::of(&request);
        let order = self.0.refund(&refund(&caller, request.into_inner())?).await?;
        Ok(Response::new(wire::order(&order)))
    }

    async fn get_order_history(
        &self,
        request: Request<pb::GetOrderHistoryRequest>,
    ) -> Result<Response<pb::GetOrderHistoryResponse>, Status> {
        let request = request.into_inner();
        let id = parse::order(&request.name)?;
        let (after, size) = (page_token(&request.page_token)?, PageSize::from_request(request.page_size));
        let page = self.0.history(id, after, size).await?;
        Ok(Response::new(pb::GetOrderHistoryResponse {
            entries: page.items.iter().map(|recorded| wire::history_entry(id, recorded)).collect(),
            next_page_token: page.next.map(PageToken::to_wire).unwrap_or_default(),
        }))
    }
}

fn refund(caller: &Caller, mut request: pb::RefundOrderRequest) -> Result<RefundOrder, Status> {
    let key = idempotency_key(caller, "RefundOrder", &mut request, |request| &mut request.request_id);
    let amount = request.amount.map(|amount| convert::money_from_wire("amount", &amount)).transpose()?;
    let restock = request.restock.iter().enumerate().map(|(index, line)| {
        let path = format!("restock[{index}].variant");
        let variant = VariantName::from_name(&line.variant).map_err(|error| Fault::field(&path, error.to_string()))?;
        Ok::<_, Status>(RestockLine { variant, quantity: line.quantity })
    });
    Ok(RefundOrder {
        order: parse::order(&request.name)?,
        amount,
        restock: restock.collect::<Result<_, _>>()?,
        reason: request.reason,
        key: key.ok_or_else(|| Fault::field("request_id", "is required"))?,
    })
}

fn place(caller: &Caller, mut request: pb::PlaceOrderRequest) -> Result<PlaceOrder, Status> {
    let key = idempotency_key(caller, "PlaceOrder", &mut request, |request| &mut request.request_id);
    let expected = request.expected_total.ok_or_else(|| Fault::field("expected_total", "is required"))?;
    Ok(PlaceOrder {
        cart: parse::cart(&request.cart)?,
        user: caller.user(),
        expected_total: convert::money_from_wire("expected_total", &expected)?,
        payment_token: request.payment_token.into(),
        key,
    })
}
