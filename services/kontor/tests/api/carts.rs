//! What may go into a cart, and what a refused change leaves behind: the cart as it was.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::answer::{Answer, assert_refused};
use crate::api::Api;
use crate::buyer::{buy, cart_with, item_path, name, order_of, set_item};
use crate::goods::Goods;

/// A request that sets the quantity of goods in a cart.
fn setting(api: &Api, cart: &Value, variant: &str, quantity: Value) -> RequestBuilder {
    api.posting(&item_path(cart), &json!({"variant": variant, "quantity": quantity}))
}

#[tokio::test]
async fn quantities_that_are_none_are_refused_and_the_cart_stays_as_it_was() {
    let goods = Goods::stocked(20_000).await;
    let guest = Api::guest();
    let cart = cart_with(&guest, &goods.variant, 3).await;
    let set = |quantity: Value| setting(&guest, &cart, &goods.variant, quantity);
    let missing = guest.posting(&item_path(&cart), &json!({"variant": goods.variant}));
    let (broken, malformed) = ("FIELD_VIOLATION", "MALFORMED_REQUEST");
    assert_refused(vec![
        ("negative", set(json!(-1)), 400, broken, "quantity"),
        ("missing", missing, 400, broken, "quantity"),
        ("null", set(Value::Null), 400, broken, "quantity"),
        ("more than 10,000", set(json!(10_001)), 400, broken, "quantity"),
        ("a word", set(json!("many")), 400, malformed, "quantity"),
        ("a fraction", set(json!(1.5)), 400, malformed, "quantity"),
        ("more than 32 bits", set(json!(4_294_967_297_i64)), 400, malformed, "quantity"),
        ("a list", set(json!([1])), 400, malformed, "quantity"),
    ])
    .await;
    assert_eq!(guest.read(&cart["name"]).await, cart);
}

#[tokio::test]
async fn quantities_are_absolute_and_zero_removes() {
    let goods = Goods::stocked(5).await;
    let guest = Api::guest();
    let cart = cart_with(&guest, &goods.variant, 3).await;
    let cart = set_item(&guest, &cart, &goods.variant, json!(2)).await.ok();
    assert_eq!((&cart["items"][0]["quantity"], &cart["total"]["units"]), (&json!(2), &json!("25")));
    let by_handle = goods.variant.replacen(goods.variant.split('/').nth(1).unwrap(), &goods.handle, 1);
    let cart = set_item(&guest, &cart, &by_handle, json!(5)).await.ok();
    assert_eq!((cart["items"].as_array().unwrap().len(), &cart["items"][0]["quantity"]), (1, &json!(5)));
    for _ in 0..2 {
        let cart = set_item(&guest, &cart, &goods.variant, json!(0)).await.ok();
        assert_eq!((&cart["items"], &cart["total"]["units"]), (&json!([]), &json!("0")));
    }
}

#[tokio::test]
async fn more_than_there_is_is_refused_with_the_sku_and_what_is_left() {
    let goods = Goods::stocked(3).await;
    let guest = Api::guest();
    let cart = cart_with(&guest, &goods.variant, 1).await;
    let answer = set_item(&guest, &cart, &goods.variant, json!(4)).await;
    let problem = answer.refused(400, "INSUFFICIENT_STOCK");
    assert_eq!(problem["violations"][0]["field"], goods.variant);
    assert_eq!(problem["metadata"], json!({"variant": goods.variant, "sku": goods.sku, "available": "3"}));
    assert_eq!(guest.read(&cart["name"]).await, cart);
}

#[tokio::test]
async fn only_variants_that_are_for_sale_in_the_carts_currency_go_in() {
    let (goods, euros) = (Goods::stocked(1).await, Goods::imported(1, "EUR").await);
    let guest = Api::guest();
    let cart = cart_with(&guest, &goods.variant, 1).await;
    let set = |variant: &str| setting(&guest, &cart, variant, json!(1));
    let (product, nobody) = (goods.variant.rsplit_once('/').unwrap().0, "018f4e2a-7c1b-7d3e-9a52-0c6f1f0e8b11");
    let no_variant = guest.posting(&item_path(&cart), &json!({"quantity": 1}));
    let none = "RESOURCE_NOT_FOUND";
    assert_refused(vec![
        ("another currency", set(&euros.variant), 400, "CURRENCY_MISMATCH", &euros.variant),
        ("an unknown variant", set(&format!("{product}/{nobody}")), 404, none, ""),
        ("an unknown product", set(&format!("products/none/variants/{nobody}")), 404, none, ""),
        ("a variant of another product", set(&goods.variant.replacen(&goods.variant[9..45], nobody, 1)), 404, none, ""),
        ("a SKU", set(&goods.sku), 400, "FIELD_VIOLATION", "variant"),
        ("nothing", no_variant, 400, "FIELD_VIOLATION", "variant"),
    ])
    .await;
    let answer = set_item(&guest, &cart, &format!("{product}/{nobody}"), json!(1)).await;
    assert_eq!(answer.body["metadata"]["resource"], format!("{product}/{nobody}"));
    assert_eq!(guest.read(&cart["name"]).await, cart);

    let cart = guest.post("/v1/carts", &json!({"currencyCode": "EUR"})).await.ok();
    let cart = set_item(&guest, &cart, &euros.variant, json!(1)).await.ok();
    assert_eq!(cart["total"], json!({"currencyCode": "EUR", "units": "12", "nanos": 500_000_000}));
}

#[tokio::test]
async fn what_the_server_sets_is_not_taken_from_the_caller() {
    let goods = Goods::stocked(9).await;
    let guest = Api::guest();
    let cart = cart_with(&guest, &goods.variant, 1).await;
    let cheap = json!({"currencyCode": "USD", "units": "1"});
    let priced = json!({"variant": goods.variant, "quantity": 1, "unitPrice": cheap});
    let item = json!({"variant": goods.variant, "quantity": 1, "unitPrice": cheap, "total": cheap});
    let create = |body: Value| guest.posting("/v1/carts", &body);
    let path = format!("/v1/{}", name(&cart));
    let patch = |query: &str, body: Value| guest.request(Method::PATCH, &format!("{path}{query}")).json(&body);
    let broken = "FIELD_VIOLATION";
    assert_refused(vec![
        ("an item's price", guest.posting(&item_path(&cart), &priced), 400, "MALFORMED_REQUEST", "unitPrice"),
        ("items", create(json!({"items": [item]})), 400, broken, "items"),
        ("a total", create(json!({"total": cheap})), 400, broken, "total"),
        ("an order", create(json!({"order": "orders/1"})), 400, broken, "order"),
        ("a user", create(json!({"user": "users/1"})), 400, broken, "user"),
        ("an unknown currency", create(json!({"currencyCode": "XQX"})), 400, broken, "currencyCode"),
        ("no currency code", create(json!({"currencyCode": "usd"})), 400, broken, "currencyCode"),
        ("no e-mail address", create(json!({"email": "ada"})), 400, broken, "email"),
        ("a name", create(json!({"name": "carts/AAAAAAAAAAAAAAAAAAAAAA"})), 400, broken, "name"),
        ("a mask that names items", patch("?updateMask=items", json!({"items": [item]})), 400, broken, "updateMask"),
        ("items without a mask", patch("", json!({"items": [item]})), 400, broken, "items"),
        ("a total without a mask", patch("", json!({"total": cheap})), 400, broken, "total"),
        ("another currency", patch("", json!({"currencyCode": "EUR"})), 400, broken, "currencyCode"),
    ])
    .await;
    assert_eq!(guest.read(&cart["name"]).await, cart);
}

#[tokio::test]
async fn a_cart_can_be_sent_back_as_it_was_read_and_keeps_its_prices() {
    let goods = Goods::stocked(9).await;
    let guest = Api::guest();
    let cart = cart_with(&guest, &goods.variant, 1).await;
    let mut changed = cart.clone();
    changed["email"] = "ada@example.org".into();
    changed["items"][0]["unitPrice"]["units"] = "1".into();
    changed["total"]["units"] = "1".into();
    changed["shippingAddress"] = json!({"locality": "Bern"});
    for mask in ["email,shippingAddress", "email,shipping_address"] {
        let patch = guest.request(Method::PATCH, &format!("/v1/{}?updateMask={mask}", name(&cart))).json(&changed);
        let patched = Answer::to(patch).await.ok();
        assert_eq!((&patched["email"], &patched["items"]), (&json!("ada@example.org"), &cart["items"]));
        assert_eq!((&patched["total"], &patched["shippingAddress"]["locality"]), (&cart["total"], &json!("Bern")));
    }
}

#[tokio::test]
async fn a_cart_is_made_once_for_a_key() {
    let (guest, key) = (Api::guest(), kontor_types::ids::new_uuid().to_string());
    let make = |body: Value| guest.posting("/v1/carts", &body).header("idempotency-key", &key);
    let cart = Answer::to(make(json!({"email": "ada@example.org"}))).await.ok();
    assert_eq!(Answer::to(make(json!({"email": "ada@example.org"}))).await.ok(), cart);
    Answer::to(make(json!({"email": "eve@example.org"}))).await.refused(400, "IDEMPOTENCY_KEY_REUSED");
}

#[tokio::test]
async fn a_variant_that_changed_its_currency_is_told_so_when_it_is_ordered() {
    let goods = Goods::stocked(9).await;
    let guest = Api::guest();
    let cart = cart_with(&guest, &goods.variant, 1).await;
    goods.reprice("EUR").await;
    let answer = guest.post("/v1/orders", &order_of(&cart, "tok_approve")).await;
    answer.refused(400, "CURRENCY_MISMATCH");
    assert_eq!(goods.stock().await, (9, 0));
}

#[tokio::test]
async fn an_ordered_cart_can_not_be_changed() {
    let goods = Goods::stocked(9).await;
    let guest = Api::guest();
    let cart = cart_with(&guest, &goods.variant, 1).await;
    let order = buy(&guest, &cart).await;
    let ordered = guest.read(&cart["name"]).await;
    let patch =
        guest.request(Method::PATCH, &format!("/v1/{}", name(&cart))).json(&json!({"email": "eve@example.org"}));
    for request in [setting(&guest, &cart, &goods.variant, json!(2)), patch] {
        let problem = Answer::to(request).await.refused(400, "CART_ORDERED");
        assert_eq!(problem["metadata"]["order"], order["name"]);
    }
    assert_eq!(guest.read(&cart["name"]).await, ordered);
}
