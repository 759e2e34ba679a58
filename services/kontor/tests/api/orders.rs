//! Orders that are refused, and leave no order behind.

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::answer::{Answer, assert_refused};
use crate::api::Api;
use crate::buyer::{buy, cart_with, order_of, set_item};
use crate::goods::Goods;

/// The request for a cart, with one field changed.
fn changed(api: &Api, cart: &Value, field: &str, value: Value) -> RequestBuilder {
    let mut body = order_of(cart, "tok_approve");
    body[field] = value;
    api.posting("/v1/orders", &body)
}

fn dollars(units: i64, nanos: i32) -> Value {
    json!({"currencyCode": "USD", "units": units.to_string(), "nanos": nanos})
}

#[tokio::test]
async fn orders_that_can_not_be_are_refused_and_the_cart_stays_open() {
    let goods = Goods::stocked(5).await;
    let guest = Api::guest();
    let cart = cart_with(&guest, &goods.variant, 2).await;
    let with = |field: &str, value: Value| changed(&guest, &cart, field, value);
    let long = "x".repeat(501);
    let keyed = with("requestId", json!("018f4e2a-7c1b-7d3e-9a52-0c6f1f0e8b11")).header("idempotency-key", "other");
    let (broken, malformed) = ("FIELD_VIOLATION", "MALFORMED_REQUEST");
    assert_refused(vec![
        ("no total", with("expectedTotal", Value::Null), 400, broken, "expectedTotal"),
        ("no currency", with("expectedTotal", json!({"units": "25"})), 400, broken, "expectedTotal.currencyCode"),
        ("a fraction of a cent", with("expectedTotal", dollars(25, 1)), 400, broken, "expectedTotal"),
        (
            "units and nanos of two signs",
            with("expectedTotal", dollars(26, -1_000_000_000 + 1)),
            400,
            broken,
            "expectedTotal",
        ),
        ("more than can be counted", with("expectedTotal", dollars(i64::MAX, 0)), 400, broken, "expectedTotal"),
        ("a number for a total", with("expectedTotal", json!(25)), 400, malformed, "expectedTotal"),
        ("no payment token", with("paymentToken", json!("")), 400, broken, "paymentToken"),
        ("a long payment token", with("paymentToken", json!(long)), 400, broken, "paymentToken"),
        ("a key that is no UUID", with("requestId", json!("1")), 400, broken, "requestId"),
        ("two keys", keyed, 400, malformed, "requestId"),
        ("no cart", with("cart", json!("")), 400, broken, "cart"),
        ("an unknown cart", with("cart", json!("carts/0123456789abcdefghijkl")), 404, "RESOURCE_NOT_FOUND", ""),
        ("a price", with("total", dollars(1, 0)), 400, malformed, "total"),
    ])
    .await;
    assert_eq!(guest.read(&cart["name"]).await, cart);
    assert_eq!(goods.stock().await, (5, 0));
}

#[tokio::test]
async fn another_total_than_the_buyer_agreed_to_is_told_and_not_charged() {
    let goods = Goods::stocked(5).await;
    let guest = Api::guest();
    let cart = cart_with(&guest, &goods.variant, 2).await;
    let euros = json!({"currencyCode": "EUR", "units": "25"});
    for wrong in [dollars(24, 990_000_000), dollars(0, 0), dollars(-25, 0), euros] {
        let answer = Answer::to(changed(&guest, &cart, "expectedTotal", wrong)).await;
        let problem = answer.refused(400, "TOTAL_CHANGED");
        assert_eq!(problem["metadata"], json!({"total": "25.00", "currency_code": "USD"}));
    }
    assert_eq!(guest.read(&cart["name"]).await, cart);
    assert_eq!(goods.stock().await, (5, 0));
}

#[tokio::test]
async fn a_total_from_before_the_cart_changed_is_not_charged() {
    let goods = Goods::stocked(5).await;
    let guest = Api::guest();
    let before = cart_with(&guest, &goods.variant, 1).await;
    let after = set_item(&guest, &before, &goods.variant, json!(3)).await.ok();
    let problem = guest.post("/v1/orders", &order_of(&before, "tok_approve")).await.refused(400, "TOTAL_CHANGED");
    assert_eq!(problem["metadata"]["total"], "37.50");
    buy(&guest, &after).await;
    assert_eq!(goods.stock().await, (2, 0));
}

#[tokio::test]
async fn an_empty_cart_is_not_ordered() {
    let guest = Api::guest();
    let cart = guest.post("/v1/carts", &json!({})).await.ok();
    guest.post("/v1/orders", &order_of(&cart, "tok_approve")).await.refused(400, "CART_EMPTY");
    assert_eq!(guest.read(&cart["name"]).await, cart);
}

#[tokio::test]
async fn units_that_went_meanwhile_are_named_before_there_is_an_order() {
    let goods = Goods::stocked(3).await;
    let guest = Api::guest();
    let late = cart_with(&guest, &goods.variant, 3).await;
    buy(&guest, &cart_with(&guest, &goods.variant, 2).await).await;
    let answer = guest.post("/v1/orders", &order_of(&late, "tok_approve")).await;
    let problem = answer.refused(400, "INSUFFICIENT_STOCK");
    assert_eq!(problem["metadata"], json!({"variant": goods.variant, "sku": goods.sku, "available": "1"}));
    assert_eq!(guest.read(&late["name"]).await["order"], "");
    assert_eq!(goods.stock().await, (1, 0));
}
