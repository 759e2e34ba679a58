//! Carts and orders that tell what they were asked; the payment token chooses how placing an order fails.

use std::time::Duration;

use kontor_proto::codec::ERROR_DOMAIN;
use kontor_proto::kontor::order::v1::cart_service_server::CartService;
use kontor_proto::kontor::order::v1::order_service_server::OrderService;
use kontor_proto::kontor::order::v1::{
    CancelOrderRequest, Cart, CartItem, CreateCartRequest, GetCartRequest, GetOrderHistoryRequest,
    GetOrderHistoryResponse, GetOrderRequest, Order, PlaceOrderRequest, RefundOrderRequest, SetCartItemRequest,
    UpdateCartRequest,
};
use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt};

#[derive(Clone, Copy)]
pub(crate) struct FakeOrder;

#[tonic::async_trait]
impl CartService for FakeOrder {
    async fn create_cart(&self, request: Request<CreateCartRequest>) -> Result<Response<Cart>, Status> {
        Ok(Response::new(request.into_inner().cart.unwrap_or_default()))
    }

    async fn get_cart(&self, request: Request<GetCartRequest>) -> Result<Response<Cart>, Status> {
        Ok(Response::new(Cart { name: request.into_inner().name, ..Cart::default() }))
    }

    async fn update_cart(&self, request: Request<UpdateCartRequest>) -> Result<Response<Cart>, Status> {
        let asked = request.into_inner();
        let order = asked.update_mask.map(|mask| mask.paths.join("+")).unwrap_or_default();
        Ok(Response::new(Cart { order, ..asked.cart.unwrap_or_default() }))
    }

    async fn set_cart_item(&self, request: Request<SetCartItemRequest>) -> Result<Response<Cart>, Status> {
        let asked = request.into_inner();
        let quantity = asked.quantity.unwrap_or_default();
        let item = CartItem { variant: asked.variant, quantity, ..CartItem::default() };
        Ok(Response::new(Cart { name: asked.cart, items: vec![item], ..Cart::default() }))
    }
}

#[tonic::async_trait]
impl OrderService for FakeOrder {
    async fn place_order(&self, request: Request<PlaceOrderRequest>) -> Result<Response<Order>, Status> {
        let header = request.metadata().get("authorization").and_then(|value| value.to_str().ok());
        let email = header.unwrap_or_default().to_owned();
        let asked = request.into_inner();
        if let Some(status) = failure(&asked.payment_token).await {
            return Err(status);
        }
        let (number, cart, total) = (asked.request_id, asked.cart, asked.expected_total);
        Ok(Response::new(Order { number, cart, total, email, ..Order::default() }))
    }

    async fn get_order(&self, request: Request<GetOrderRequest>) -> Result<Response<Order>, Status> {
        Ok(Response::new(Order { name: request.into_inner().name, ..Order::default() }))
    }

    async fn cancel_order(&self, request: Request<CancelOrderRequest>) -> Result<Response<Order>, Status> {
        let asked = request.into_inner();
        Ok(Response::new(Order { name: asked.name, number: asked.request_id, ..Order::default() }))
    }

    async fn refund_order(&self, request: Request<RefundOrderRequest>) -> Result<Response<Order>, Status> {
        let asked = request.into_inner();
        Ok(Response::new(Order { name: asked.name, number: asked.request_id, ..Order::default() }))
    }

    async fn get_order_history(
        &self,
        _: Request<GetOrderHistoryRequest>,
    ) -> Result<Response<GetOrderHistoryResponse>, Status> {
        Ok(Response::new(GetOrderHistoryResponse::default()))
    }
}

/// The failure that the payment token asks for.
async fn failure(token: &str) -> Option<Status> {
    let stated = |code, reason: &str, details: ErrorDetails| {
        let mut details = details;
        details.set_error_info(reason, ERROR_DOMAIN, [("sku".to_owned(), "AERO-1".to_owned())]);
        Some(Status::with_error_details(code, format!("told by the service: {reason}"), details))
    };
    match token {
        "tok_stock" => {
            let details = ErrorDetails::with_precondition_failure_violation("STOCK", "AERO-1", "3 are left");
            stated(Code::FailedPrecondition, "INSUFFICIENT_STOCK", details)
        }
        "tok_busy" => {
            let details = ErrorDetails::with_retry_info(Some(Duration::from_millis(1_500)));
            stated(Code::Unavailable, "DEPENDENCY_UNAVAILABLE", details)
        }
        "tok_token" => stated(Code::Unauthenticated, "TOKEN_EXPIRED", ErrorDetails::new()),
        "tok_large" => stated(Code::ResourceExhausted, "REQUEST_TOO_LARGE", ErrorDetails::new()),
        "tok_fault" => stated(Code::Internal, "INTERNAL_FAULT", ErrorDetails::new()),
        "tok_bare_fault" => Some(Status::unknown("relation \"orders\" does not exist")),
        "tok_slow" => {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            None
        }
        "tok_panic" => panic!("asked for by the test"),
        _ => None,
    }
}
