//! More buyers than units: nobody gets what is not there, and whoever goes empty is told.

use std::time::Duration;

use kontor_types::ids::new_uuid;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::answer::Answer;
use crate::api::Api;
use crate::buyer::{cart_with, ended, name, order_of, place, set_item};
use crate::goods::{Goods, HEADER, import, row, unique};

/// How often two buyers go for the last unit.
const ROUNDS: usize = 10;
/// How often a buyer sends the same order again after a fault.
const TRIES: usize = 20;

#[tokio::test]
async fn the_last_unit_goes_to_one_of_two_and_the_other_is_told_what_is_left() {
    let goods = Goods::stocked(0).await;
    let (admin, buyers) = (Api::administrator().await, [Api::guest(), Api::guest()]);
    for round in 0..ROUNDS {
        let one_more = json!({"delta": "1", "reason": "RECEIVED"});
        admin.post(&format!("/v1/{}:adjustStock", goods.variant), &one_more).await.ok();
        let carts = [cart_with(&buyers[0], &goods.variant, 1).await, cart_with(&buyers[1], &goods.variant, 1).await];
        let (first, second) =
            tokio::join!(place(&buyers[0], &carts[0], "tok_approve"), place(&buyers[1], &carts[1], "tok_approve"));
        let bought = [outcome(first, &goods).await, outcome(second, &goods).await];
        assert_ne!(bought[0], bought[1], "round {round}: {bought:?}");
        assert_eq!(goods.stock().await, (0, 0), "round {round}");
        for (cart, bought) in carts.iter().zip(bought) {
            let order = &buyers[0].read(&cart["name"]).await["order"];
            assert_eq!(order != "", bought, "round {round}: a cart is open unless it was bought");
        }
    }
}

#[tokio::test]
async fn an_order_of_many_lines_that_are_sold_out_is_told_some_of_them() {
    let (admin, guest, word) = (Api::administrator().await, Api::guest(), unique("sold-out"));
    let rows: String = (0..60).map(|n| row(&format!("{word}-{n}"), &format!("{word}-{n}"), 1, "active")).collect();
    import(&admin, "", format!("{HEADER}\n{rows}")).await.ok();
    let mut cart = guest.post("/v1/carts", &json!({})).await.ok();
    for n in 0..60 {
        let product = guest.get(&format!("/v1/products/{word}-{n}")).await.ok();
        let variant = product["variants"][0]["name"].as_str().unwrap().to_owned();
        cart = set_item(&guest, &cart, &variant, 1.into()).await.ok();
        let lost = json!({"delta": "-1", "reason": "DAMAGED"});
        admin.post(&format!("/v1/{variant}:adjustStock"), &lost).await.ok();
    }
    let problem = place(&guest, &cart, "tok_approve").await.refused(400, "INSUFFICIENT_STOCK");
    let listed = problem["violations"].as_array().unwrap().len();
    assert!((1..=20).contains(&listed), "{listed}");
    assert!(problem["detail"].as_str().unwrap().ends_with(&format!("(and {} more)", 60 - listed)), "{problem}");
}

#[tokio::test]
async fn fifty_units_go_to_fifty_of_two_hundred_buyers_who_each_send_their_order_twice() {
    let goods = Goods::stocked(50).await;
    let mut carts = Vec::new();
    for _ in 0..200 {
        carts.push(cart_with(&Api::guest(), &goods.variant, 1).await);
    }
    let mut buyers = JoinSet::new();
    for cart in carts {
        buyers.spawn(async move {
            let (api, key) = (Api::guest(), new_uuid().to_string());
            tokio::join!(place_surely(&api, &cart, &key), place_surely(&api, &cart, &key))
        });
    }
    let mut bought = 0;
    while let Some(answers) = buyers.join_next().await {
        let (first, second) = answers.unwrap();
        let outcomes = [outcome(first, &goods).await, outcome(second, &goods).await];
        assert_eq!(outcomes[0], outcomes[1], "one key has two answers");
        bought += usize::from(outcomes[0]);
    }
    assert_eq!((bought, goods.stock().await), (50, (0, 0)));
}

/// Sends the same order with the same key until it is answered. A part may be away for a while, but nothing may break.
async fn place_surely(api: &Api, cart: &Value, key: &str) -> Answer {
    for _ in 0..TRIES {
        let request = api.posting("/v1/orders", &order_of(cart, "tok_approve"));
        let answer = Answer::to(request.header("idempotency-key", key)).await;
        match answer.status {
            503 | 504 => tokio::time::sleep(Duration::from_millis(200)).await,
            500.. => panic!("{}", answer.body),
            _ => return answer,
        }
    }
    panic!("{} was not answered", name(cart));
}

/// Whether it was bought. If not, the SKU and what is left of it must be told, before an order exists or after.
async fn outcome(answer: Answer, goods: &Goods) -> bool {
    if answer.status != 200 {
        let problem = answer.refused(400, "INSUFFICIENT_STOCK");
        let told = (&problem["metadata"]["sku"], &problem["metadata"]["available"]);
        assert_eq!(told, (&json!(goods.sku), &json!("0")), "{problem}");
        assert_eq!(problem["violations"][0]["field"], goods.variant);
        assert!(problem["detail"].as_str().unwrap().contains(&goods.sku), "{problem}");
        return false;
    }
    let order = ended(&Api::guest(), answer.ok()).await;
    if order["state"] == "COMPLETED" {
        return true;
    }
    let rejection = &order["rejection"];
    assert_eq!((&order["state"], &rejection["reason"]), (&json!("REJECTED"), &json!("OUT_OF_STOCK")), "{order}");
    let shortage = &rejection["shortages"][0];
    let told = (&shortage["sku"], &shortage["availableQuantity"]);
    assert_eq!(told, (&json!(goods.sku), &json!("0")), "{order}");
    assert_eq!((&shortage["variant"], &shortage["requestedQuantity"]), (&json!(goods.variant), &json!(1)));
    assert_ne!(order["payment"]["state"], "CAPTURED");
    false
}
