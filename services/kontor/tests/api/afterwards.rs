//! What can be done to an order once it is placed: called off while it is on its way, given back once it is completed, and told about.

use kontor_types::ids::new_uuid;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::api::Api;
use crate::buyer::{buy, cart_with, ended, name, place};
use crate::goods::Goods;
use crate::payments::decisions;
use crate::people::sign_up;

async fn cancel(api: &Api, order: &Value) -> Answer {
    api.post(&format!("/v1/{}:cancel", name(order)), &json!({"reason": "changed my mind"})).await
}

async fn refund(api: &Api, order: &Value, key: &str, body: &Value) -> Answer {
    let request = api.posting(&format!("/v1/{}:refund", name(order)), body);
    Answer::to(request.header("idempotency-key", key)).await
}

#[tokio::test]
async fn an_order_under_review_is_called_off_by_its_buyer_and_by_nobody_else() {
    let goods = Goods::stocked(1).await;
    let buyer = Api::with_token(&sign_up().await.access_token);
    let cart = cart_with(&buyer, &goods.variant, 1).await;
    let order = place(&buyer, &cart, "tok_review").await.ok();

    let stranger = Api::with_token(&sign_up().await.access_token);
    cancel(&stranger, &order).await.refused(404, "RESOURCE_NOT_FOUND");
    cancel(&Api::guest(), &order).await.refused(404, "RESOURCE_NOT_FOUND");
    let cancelled = cancel(&buyer, &order).await.ok();
    assert_eq!(
        (&cancelled["state"], &cancelled["cancellation"]["reason"]),
        (&json!("CANCELLED"), &json!("changed my mind"))
    );
    assert_eq!(goods.stock().await, (1, 0));
    assert!(decisions(&order, "capture").is_empty());
    assert_eq!(cancel(&buyer, &order).await.ok()["state"], "CANCELLED", "it may be sent again");
    buy(&buyer, &cart).await;
}

#[tokio::test]
async fn a_completed_order_is_not_called_off() {
    let goods = Goods::stocked(1).await;
    let guest = Api::guest();
    let order = buy(&guest, &cart_with(&guest, &goods.variant, 1).await).await;
    let problem = cancel(&guest, &order).await.refused(400, "ORDER_STATE");
    assert_eq!(problem["metadata"]["state"], "COMPLETED");
    assert_eq!(goods.stock().await, (0, 0));
}

#[tokio::test]
async fn a_refund_reaches_the_provider_once_and_its_units_come_back() {
    let goods = Goods::stocked(3).await;
    let (guest, admin) = (Api::guest(), Api::administrator().await);
    let order = buy(&guest, &cart_with(&guest, &goods.variant, 3).await).await;
    let half = json!({"amount": {"currencyCode": "USD", "units": "20"}, "restock": [{"variant": goods.variant, "quantity": 2}]});
    refund(&guest, &order, &new_uuid().to_string(), &half).await.refused(401, "TOKEN_MISSING");

    let key = new_uuid().to_string();
    let (first, second) = tokio::join!(refund(&admin, &order, &key, &half), refund(&admin, &order, &key, &half));
    for refunded in [first.ok(), second.ok(), refund(&admin, &order, &key, &half).await.ok()] {
        assert_eq!(refunded["refunds"].as_array().unwrap().len(), 1, "{refunded}");
    }
    let order = guest.read(&order["name"]).await;
    assert_eq!((&order["refunds"][0]["state"], &order["state"]), (&json!("SUCCEEDED"), &json!("COMPLETED")));
    assert_eq!(order["payment"]["refundedAmount"]["units"], "20");
    assert_eq!((decisions(&order, "refund").len(), goods.stock().await), (1, (2, 0)));

    let other = json!({"amount": {"currencyCode": "USD", "units": "1"}});
    refund(&admin, &order, &key, &other).await.refused(400, "IDEMPOTENCY_KEY_REUSED");
    let all = json!({"amount": order["total"]});
    let problem = refund(&admin, &order, &new_uuid().to_string(), &all).await.refused(400, "REFUND_TOO_LARGE");
    assert_eq!(problem["metadata"]["refundable"], "17.50");
    let units = json!({"restock": [{"variant": goods.variant, "quantity": 2}]});
    let problem = refund(&admin, &order, &new_uuid().to_string(), &units).await.refused(400, "RESTOCK_TOO_LARGE");
    assert_eq!(problem["metadata"]["returnable"], "1");
    assert_eq!(
        refund(&admin, &order, &new_uuid().to_string(), &json!({})).await.ok()["refunds"][1]["state"],
        "SUCCEEDED"
    );
}

#[tokio::test]
async fn the_history_tells_of_each_step_to_those_who_may_read_orders() {
    let goods = Goods::stocked(1).await;
    let guest = Api::guest();
    let placed = place(&guest, &cart_with(&guest, &goods.variant, 1).await, "tok_error_after").await.ok();
    let order = ended(&guest, placed).await;
    let path = format!("/v1/{}/history", name(&order));
    guest.get(&path).await.refused(401, "TOKEN_MISSING");
    let history = Api::administrator().await.get(&path).await.ok();
    let entries = history["entries"].as_array().unwrap();
    let told: Vec<_> = entries.iter().map(|e| (e["step"].as_str().unwrap(), e["outcome"].as_str().unwrap())).collect();
    let expected = [
        ("STEP_UNSPECIFIED", "PROCESSING"),
        ("RESERVE", "HELD"),
        ("AUTHORIZE", "UNKNOWN"),
        ("LOOK_UP", "AUTHORIZED"),
        ("CONFIRM", "CONFIRMED"),
        ("CAPTURE", "CAPTURED"),
        ("STEP_UNSPECIFIED", "COMPLETED"),
    ];
    assert_eq!(told, expected);
}
