//! Purchases that go well, and who sees them.

use kontor_proto::google::r#type::Money;
use kontor_proto::kontor::order::v1 as pb;
use kontor_proto::kontor::order::v1::cart_service_client::CartServiceClient;
use kontor_proto::kontor::order::v1::order_service_client::OrderServiceClient;
use kontor_runtime::fault::{ErrorReason, reason_of};
use kontor_testkit::with_token;
use reqwest::Method;
use serde_json::json;
use tonic::transport::Channel;
use tonic::{Request, Status};

use crate::answer::Answer;
use crate::api::Api;
use crate::buyer::{buy, cart_with, name};
use crate::goods::Goods;
use crate::people::sign_up;
use crate::stack::stack;

#[tokio::test]
async fn a_guest_buys_from_the_sample_catalog_over_http() {
    let guest = Api::guest();
    let kettle = guest.get("/v1/products/pour-over-kettle").await.ok();
    let variant = &kettle["variants"][0];
    let cart = cart_with(&guest, name(variant), 2).await;
    assert_eq!(cart["items"][0]["unitPrice"], variant["price"]);
    assert_eq!(cart["total"], json!({"currencyCode": "USD", "units": "158", "nanos": 0}));

    let contact = json!({"email": "ada@example.org", "shippingAddress": {"regionCode": "CH", "locality": "Bern"}});
    let patch = guest.request(Method::PATCH, &format!("/v1/{}", name(&cart))).json(&contact);
    let cart = Answer::to(patch).await.ok();

    let order = buy(&guest, &cart).await;
    assert_eq!((&order["total"], &order["email"]), (&cart["total"], &cart["email"]));
    assert_eq!(order["shippingAddress"], cart["shippingAddress"]);
    let nothing = json!({"currencyCode": cart["total"]["currencyCode"], "units": "0", "nanos": 0});
    let payment = json!({"state": "CAPTURED", "capturedAmount": cart["total"], "refundedAmount": nothing});
    assert_eq!(order["payment"], payment);
    let line = &order["lines"][0];
    assert_eq!((&line["title"], &line["sku"]), (&kettle["title"], &variant["sku"]));
    assert_eq!((&line["quantity"], &line["unitPrice"]), (&2.into(), &variant["price"]));
    assert_eq!(order["cart"], cart["name"]);

    let read = guest.read(&order["name"]).await;
    assert_eq!((&read["state"], &read["cart"]), (&"COMPLETED".into(), &"".into()), "the cart is its buyer's secret");
    assert_eq!(guest.read(&cart["name"]).await["order"], order["name"]);
}

#[tokio::test]
async fn a_purchase_takes_its_units_out_of_stock_and_holds_none() {
    let goods = Goods::stocked(5).await;
    let guest = Api::guest();
    let cart = cart_with(&guest, &goods.variant, 2).await;
    assert_eq!(goods.stock().await, (5, 0), "a cart holds nothing");
    buy(&guest, &cart).await;
    assert_eq!(goods.stock().await, (3, 0));
}

/// Carts and orders over gRPC, as one caller.
struct Caller {
    carts: CartServiceClient<Channel>,
    orders: OrderServiceClient<Channel>,
    token: Option<String>,
}

impl Caller {
    fn new(token: Option<String>) -> Self {
        let channel = kontor_testkit::channel(stack().up.order_addr);
        Self { carts: CartServiceClient::new(channel.clone()), orders: OrderServiceClient::new(channel), token }
    }

    fn request<T>(&self, message: T) -> Request<T> {
        match &self.token {
            Some(token) => with_token(message, token),
            None => Request::new(message),
        }
    }

    async fn cart_with(&mut self, variant: &str) -> pb::Cart {
        let request = self.request(pb::CreateCartRequest::default());
        let cart = self.carts.create_cart(request).await.unwrap().into_inner().name;
        self.set_item(&cart, variant).await.unwrap()
    }

    async fn set_item(&mut self, cart: &str, variant: &str) -> Result<pb::Cart, Status> {
        let request = pb::SetCartItemRequest {
            cart: cart.into(),
            variant: variant.into(),
            quantity: Some(1),
            ..Default::default()
        };
        Ok(self.carts.set_cart_item(self.request(request)).await?.into_inner())
    }

    async fn get_cart(&mut self, name: &str) -> Result<pb::Cart, Status> {
        let request = self.request(pb::GetCartRequest { name: name.into() });
        Ok(self.carts.get_cart(request).await?.into_inner())
    }

    async fn place(&mut self, cart: &str, total: Option<Money>) -> Result<pb::Order, Status> {
        let payment_token = "tok_approve".into();
        let request = pb::PlaceOrderRequest {
            cart: cart.into(),
            expected_total: total,
            payment_token,
            request_id: String::new(),
        };
        Ok(self.orders.place_order(self.request(request)).await?.into_inner())
    }

    async fn get_order(&mut self, name: &str) -> Result<pb::Order, Status> {
        let request = self.request(pb::GetOrderRequest { name: name.into() });
        Ok(self.orders.get_order(request).await?.into_inner())
    }
}

fn is_hidden<T>(answer: Result<T, Status>) -> bool {
    answer.is_err_and(|status| reason_of(&status) == Some(ErrorReason::ResourceNotFound))
}

#[tokio::test]
async fn a_users_cart_and_order_are_the_users_alone_and_the_administrators_to_read() {
    let goods = Goods::stocked(3).await;
    let user = sign_up().await;
    let mut buyer = Caller::new(Some(user.access_token));
    let cart = buyer.cart_with(&goods.variant).await;
    assert_eq!(cart.user, user.name);

    let mut stranger = Caller::new(Some(sign_up().await.access_token));
    let mut guest = Caller::new(None);
    for other in [&mut stranger, &mut guest] {
        assert!(is_hidden(other.get_cart(&cart.name).await));
        assert!(is_hidden(other.set_item(&cart.name, &goods.variant).await));
        assert!(is_hidden(other.place(&cart.name, cart.total.clone()).await));
    }
    assert_eq!(buyer.get_cart(&cart.name).await.unwrap(), cart, "the others changed nothing");

    let order = buyer.place(&cart.name, cart.total.clone()).await.unwrap();
    assert_eq!((order.state(), order.user.as_str()), (pb::order::State::Completed, user.name.as_str()));
    assert_eq!(buyer.get_order(&order.name).await.unwrap().state(), pb::order::State::Completed);
    for other in [&mut stranger, &mut guest] {
        assert!(is_hidden(other.get_order(&order.name).await));
    }
    let mut administrator = Caller::new(Api::administrator().await.token);
    assert_eq!(administrator.get_order(&order.name).await.unwrap().user, user.name);
    assert_eq!(goods.stock().await, (2, 0));
}

#[tokio::test]
async fn a_guests_cart_that_a_user_orders_is_the_users_order() {
    let goods = Goods::stocked(1).await;
    let guest = Api::guest();
    let cart = cart_with(&guest, &goods.variant, 1).await;
    let user = sign_up().await;
    let order = buy(&Api::with_token(&user.access_token), &cart).await;
    assert_eq!(order["user"], user.name);
    guest.get(&format!("/v1/{}", name(&order))).await.refused(404, "RESOURCE_NOT_FOUND");
}
