//! Calls that are sent again: one key, one order.

use kontor_types::ids::new_uuid;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::answer::{Answer, field};
use crate::api::Api;
use crate::buyer::{buy, cart_with, order_of, place};
use crate::goods::Goods;

async fn place_with(api: &Api, key: &str, body: &Value) -> Answer {
    Answer::to(api.posting("/v1/orders", body).header("idempotency-key", key)).await
}

#[tokio::test]
async fn the_same_key_and_request_give_the_same_order_one_after_the_other() {
    let goods = Goods::stocked(5).await;
    let (guest, key) = (Api::guest(), new_uuid().to_string());
    let request = order_of(&cart_with(&guest, &goods.variant, 1).await, "tok_approve");
    let first = place_with(&guest, &key, &request).await.ok();
    let again = place_with(&guest, &key, &request).await.ok();
    assert_eq!(first, again);
    let mut in_body = request.clone();
    in_body["requestId"] = key.into();
    assert_eq!(guest.post("/v1/orders", &in_body).await.ok(), first, "the header is the field");
    assert_eq!(goods.stock().await, (4, 0));
}

#[tokio::test]
async fn the_same_key_and_request_give_the_same_order_ten_times_at_once() {
    let goods = Goods::stocked(1).await;
    let (guest, key) = (Api::guest(), new_uuid().to_string());
    let request = order_of(&cart_with(&guest, &goods.variant, 1).await, "tok_approve");
    let mut calls = JoinSet::new();
    for _ in 0..10 {
        let (guest, key, request) = (guest.clone(), key.clone(), request.clone());
        calls.spawn(async move { place_with(&guest, &key, &request).await.ok() });
    }
    let mut orders: Vec<Value> = calls.join_all().await.into_iter().map(|order| order["name"].clone()).collect();
    orders.dedup();
    assert_eq!(orders.len(), 1, "{orders:?}");
    assert_eq!(goods.stock().await, (0, 0));
}

#[tokio::test]
async fn the_same_cart_ten_times_at_once_without_a_key_is_one_order() {
    let goods = Goods::stocked(10).await;
    let guest = Api::guest();
    let cart = cart_with(&guest, &goods.variant, 1).await;
    let mut calls = JoinSet::new();
    for _ in 0..10 {
        let (guest, cart) = (guest.clone(), cart.clone());
        calls.spawn(async move { place(&guest, &cart, "tok_approve").await });
    }
    let (placed, refused): (Vec<_>, Vec<_>) =
        calls.join_all().await.into_iter().partition(|answer| answer.status == 200);
    assert_eq!(placed.len(), 1);
    for answer in refused {
        let problem = answer.refused(400, "CART_ORDERED");
        assert_eq!(problem["metadata"]["order"], placed[0].body["name"]);
    }
    assert_eq!(goods.stock().await, (9, 0));
}

#[tokio::test]
async fn the_same_key_with_another_request_is_refused() {
    let goods = Goods::stocked(5).await;
    let (guest, key) = (Api::guest(), new_uuid().to_string());
    let request = order_of(&cart_with(&guest, &goods.variant, 1).await, "tok_approve");
    let order = place_with(&guest, &key, &request).await.ok();
    let other_cart = cart_with(&guest, &goods.variant, 1).await;
    let mut other_payment = request.clone();
    other_payment["paymentToken"] = "tok_decline".into();
    for other in [order_of(&other_cart, "tok_approve"), other_payment] {
        let problem = place_with(&guest, &key, &other).await.refused(400, "IDEMPOTENCY_KEY_REUSED");
        assert_eq!(field(&problem), "requestId");
    }
    assert_eq!(guest.read(&other_cart["name"]).await["order"], "");
    assert_eq!(place_with(&guest, &key, &request).await.ok(), order, "the key still gives its order");
    assert_eq!(goods.stock().await, (4, 0));
}

#[tokio::test]
async fn a_cart_that_was_ordered_is_not_ordered_again() {
    let goods = Goods::stocked(5).await;
    let guest = Api::guest();
    let cart = cart_with(&guest, &goods.variant, 2).await;
    let order = buy(&guest, &cart).await;
    let problem = place(&guest, &cart, "tok_approve").await.refused(400, "CART_ORDERED");
    assert_eq!(problem["metadata"]["order"], order["name"]);
    assert_eq!(goods.stock().await, (3, 0));
}
