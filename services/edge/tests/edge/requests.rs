//! What callers send arrives as the contract says, and what services answer is canonical JSON.

use reqwest::Method;
use serde_json::json;

use crate::support::{CART, Harness, KEY, ok, problem};

fn order(more: &str) -> String {
    format!(r#"{{"cart":"{CART}","expectedTotal":{{"currencyCode":"CHF","units":"12"}},"paymentToken":"tok"{more}}}"#)
}

#[tokio::test]
async fn the_path_fills_a_field_of_several_segments() {
    let edge = Harness::start().await;
    let product = ok(edge.get("/v1/products/aeropress")).await;
    assert_eq!(product["name"], "products/aeropress");
    let variants = "/v1/products/p%2Dq/variants:batchGet?names=products/a/variants/1&names=products%2Fb%2Fvariants%2F2";
    let batch = ok(edge.get(variants)).await;
    assert_eq!(batch["variants"][0]["sku"], "products/p-q");
    assert_eq!(batch["variants"][0]["name"], "products/a/variants/1");
    assert_eq!(batch["variants"][1]["name"], "products/b/variants/2");
}

#[tokio::test]
async fn the_path_fills_a_field_inside_the_body() {
    let edge = Harness::start().await;
    let body = r#"{"email":"a@example.com","shippingAddress":{"regionCode":"CH"}}"#;
    let request = edge.request(Method::PATCH, &format!("/v1/{CART}?updateMask=email,shippingAddress"));
    let cart = ok(request.header("content-type", "application/json; charset=UTF-8").body(body)).await;
    assert_eq!(cart["name"], CART);
    assert_eq!(cart["email"], "a@example.com");
    assert_eq!(cart["order"], "email+shipping_address");
}

#[tokio::test]
async fn the_body_may_repeat_the_path_but_not_contradict_it() {
    let edge = Harness::start().await;
    let patch = |name: &str| {
        let request = edge.request(Method::PATCH, &format!("/v1/{CART}")).header("content-type", "application/json");
        request.body(format!(r#"{{"name":"{name}"}}"#))
    };
    assert_eq!(ok(patch(CART)).await["name"], CART);
    let (status, body) = problem(patch("carts/ffffffffffffffffffffff")).await;
    assert_eq!((status, body["violations"][0]["field"].as_str()), (400, Some("name")));
}

#[tokio::test]
async fn query_parameters_have_both_spellings() {
    let edge = Harness::start().await;
    let list = ok(edge.get("/v1/products?pageSize=7&page_token=a+b%26c")).await;
    assert_eq!(list["products"][0]["title"], "7|a b&c");
    assert_eq!(list["nextPageToken"], "");
}

#[tokio::test]
async fn answers_are_canonical_json_of_constant_shape() {
    let edge = Harness::start().await;
    let stock = ok(edge.get("/v1/products/p/variants/v/stock")).await;
    let name = "products/p/variants/v/stock";
    assert_eq!(stock, json!({"name": name, "onHand": "5000000000", "reserved": "0", "available": "5000000000"}));
    let cart = ok(edge.get(&format!("/v1/{CART}"))).await;
    assert_eq!(cart["items"], json!([]));
    assert_eq!(cart.get("total"), None, "an unset message is absent");
}

#[tokio::test]
async fn no_body_is_an_empty_message_and_needs_no_type() {
    let edge = Harness::start().await;
    let cart = ok(edge.request(Method::POST, "/v1/carts")).await;
    assert_eq!(cart["currencyCode"], "");
}

#[tokio::test]
async fn the_token_is_passed_on() {
    let edge = Harness::start().await;
    let placed = ok(edge.post("/v1/orders", order("")).header("authorization", "Bearer abc")).await;
    assert_eq!(placed["email"], "Bearer abc");
    assert_eq!(placed["total"], json!({"currencyCode": "CHF", "units": "12", "nanos": 0}));
    let twice = edge.post("/v1/orders", order("")).header("authorization", "a").header("authorization", "b");
    let response = twice.send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["www-authenticate"]),
        (401, &"Bearer".parse().unwrap())
    );
}

#[tokio::test]
async fn the_idempotency_key_fills_the_request_id() {
    let edge = Harness::start().await;
    let quoted = format!("\"{KEY}\"");
    for key in [KEY, &quoted] {
        let placed = ok(edge.post("/v1/orders", order("")).header("idempotency-key", key)).await;
        assert_eq!(placed["number"], KEY);
    }
    let both = order(&format!(r#","requestId":"{KEY}""#));
    assert_eq!(ok(edge.post("/v1/orders", both.clone()).header("idempotency-key", KEY)).await["number"], KEY);
    assert_eq!(ok(edge.post("/v1/orders", both)).await["number"], KEY);
    // A method without the field ignores the header.
    ok(edge.get("/v1/products").header("idempotency-key", KEY)).await;
}

#[tokio::test]
async fn an_idempotency_key_that_can_not_be_meant_is_refused() {
    let edge = Harness::start().await;
    let other = format!(r#","requestId":"{}""#, KEY.replace('0', "1"));
    let conflict = edge.post("/v1/orders", order(&other)).header("idempotency-key", KEY);
    let twice = edge.post("/v1/orders", order("")).header("idempotency-key", KEY).header("idempotency-key", KEY);
    let empty = edge.post("/v1/orders", order("")).header("idempotency-key", "");
    for request in [conflict, twice, empty] {
        let (status, body) = problem(request).await;
        assert_eq!((status, body["violations"][0]["field"].as_str()), (400, Some("requestId")), "{body}");
    }
}

#[tokio::test]
async fn a_request_id_is_sent_back_or_made() {
    let edge = Harness::start().await;
    let given = edge.get("/v1/products").header("x-request-id", "mine-1").send().await.unwrap();
    assert_eq!(given.headers()["x-request-id"], "mine-1");
    let id = async |request: reqwest::RequestBuilder| request.send().await.unwrap().headers()["x-request-id"].clone();
    let first = id(edge.get("/v1/products")).await;
    assert_eq!(first.len(), 36);
    assert_ne!(first, id(edge.get("/v1/products")).await);
    let too_long = "x".repeat(129);
    assert_eq!(id(edge.get("/v1/products").header("x-request-id", too_long)).await.len(), 36);
}
