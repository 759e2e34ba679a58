//! Payments that are declined, slow, or lost: the order ends right, and money is taken once or not at all.

use serde_json::{Value, json};

use crate::api::Api;
use crate::buyer::{buy, cart_with, ended, place};
use crate::goods::Goods;
use crate::stack::stack;

/// The provider's decisions of one kind for an order, as its journal has them.
pub(crate) fn decisions(order: &Value, call: &str) -> Vec<Value> {
    let id = order["name"].as_str().unwrap().strip_prefix("orders/").unwrap();
    let journal = std::fs::read_to_string(stack().data_dir.join("sandbox-psp.journal")).unwrap();
    let lines = journal.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["call"] == call && line["authorization_key"].as_str().unwrap().starts_with(id)).collect()
}

#[tokio::test]
async fn a_declined_payment_rejects_the_order_and_gives_everything_back() {
    let goods = Goods::stocked(1).await;
    let guest = Api::guest();
    let cart = cart_with(&guest, &goods.variant, 1).await;
    let order = ended(&guest, place(&guest, &cart, "tok_decline").await.ok()).await;
    assert_eq!((&order["state"], &order["rejection"]["reason"]), (&json!("REJECTED"), &json!("PAYMENT_DECLINED")));
    assert_ne!(order["rejection"]["declineCode"], "");
    assert_eq!(order["payment"]["state"], "DECLINED");
    assert_eq!(goods.stock().await, (1, 0));
    assert_eq!(guest.read(&cart["name"]).await["order"], "", "the cart is open again");

    let second = buy(&guest, &cart).await;
    assert_ne!(second["name"], order["name"]);
    assert_eq!(guest.read(&order["name"]).await["state"], "REJECTED", "the first order stays what it was");
    assert_eq!((decisions(&order, "capture").len(), decisions(&second, "capture").len()), (0, 1));
    assert_eq!(goods.stock().await, (0, 0));
}

#[tokio::test]
async fn an_unknown_payment_token_is_declined() {
    let goods = Goods::stocked(1).await;
    let guest = Api::guest();
    let cart = cart_with(&guest, &goods.variant, 1).await;
    let order = ended(&guest, place(&guest, &cart, "4111 1111 1111 1111").await.ok()).await;
    assert_eq!(order["rejection"]["reason"], "PAYMENT_DECLINED", "{order}");
    assert_eq!(goods.stock().await, (1, 0));
}

/// Whatever happens to the answers on the way, the order is completed, and charged once.
async fn assert_charged_once(payment_token: &str) {
    let goods = Goods::stocked(2).await;
    let guest = Api::guest();
    let cart = cart_with(&guest, &goods.variant, 2).await;
    let order = ended(&guest, place(&guest, &cart, payment_token).await.ok()).await;
    assert_eq!(order["state"], "COMPLETED", "{order}");
    let payment = (&order["payment"]["state"], &order["payment"]["capturedAmount"]);
    assert_eq!(payment, (&json!("CAPTURED"), &cart["total"]));
    assert_eq!(goods.stock().await, (0, 0));
    assert_eq!(decisions(&order, "authorize").len(), 1);
    let captures = decisions(&order, "capture");
    assert_eq!(captures.len(), 1, "{captures:?}");
    assert_eq!(captures[0]["amount"], json!({"currency_code": "USD", "minor": 2500}));
}

#[tokio::test]
async fn a_payment_whose_first_answer_is_lost_is_charged_once() {
    assert_charged_once("tok_error_after").await;
}

#[tokio::test]
async fn a_payment_that_fails_before_anything_is_done_is_charged_once() {
    assert_charged_once("tok_error_before").await;
}

#[tokio::test]
async fn a_slow_payment_is_charged_once() {
    assert_charged_once("tok_slow").await;
}

#[tokio::test]
async fn a_payment_that_never_answers_at_first_is_charged_once() {
    assert_charged_once("tok_timeout").await;
}

#[tokio::test]
async fn a_payment_in_review_keeps_its_order_going_until_it_is_decided() {
    assert_charged_once("tok_review").await;
}
