//! What buyers do again and again.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::api::Api;

/// How long an order may take to its end, whatever its payment does.
const END_MAX: Duration = Duration::from_secs(15);

/// A new cart with units of one variant.
pub(crate) async fn cart_with(api: &Api, variant: &str, quantity: u32) -> Value {
    let cart = api.post("/v1/carts", &json!({})).await.ok();
    set_item(api, &cart, variant, quantity.into()).await.ok()
}

/// Sets how many units of a variant are in a cart.
pub(crate) async fn set_item(api: &Api, cart: &Value, variant: &str, quantity: Value) -> Answer {
    api.post(&item_path(cart), &json!({"variant": variant, "quantity": quantity})).await
}

pub(crate) fn item_path(cart: &Value) -> String {
    format!("/v1/{}:setItem", name(cart))
}

pub(crate) fn name(resource: &Value) -> &str {
    resource["name"].as_str().unwrap()
}

/// The request that orders a cart for the total that it shows.
pub(crate) fn order_of(cart: &Value, payment_token: &str) -> Value {
    json!({"cart": cart["name"], "expectedTotal": cart["total"], "paymentToken": payment_token})
}

pub(crate) async fn place(api: &Api, cart: &Value, payment_token: &str) -> Answer {
    api.post("/v1/orders", &order_of(cart, payment_token)).await
}

pub(crate) async fn ended(api: &Api, order: Value) -> Value {
    let begin = Instant::now();
    let mut order = order;
    while order["state"] == "PROCESSING" {
        assert!(begin.elapsed() < END_MAX, "no end after {END_MAX:?}: {order}");
        tokio::time::sleep(Duration::from_millis(50)).await;
        order = api.read(&order["name"]).await;
    }
    order
}

/// Orders a cart with a payment that is approved, and sees it completed.
pub(crate) async fn buy(api: &Api, cart: &Value) -> Value {
    let order = place(api, cart, "tok_approve").await.ok();
    let order = ended(api, order).await;
    assert_eq!(order["state"], "COMPLETED", "{order}");
    order
}
