//! Requests that are no calls: wrong paths, methods, bodies and parameters. Each is refused, with what is at fault.

use reqwest::Method;
use serde_json::json;

use crate::answer::{Answer, assert_refused};
use crate::api::Api;

#[tokio::test]
async fn paths_and_methods_that_do_not_exist_are_refused() {
    let guest = Api::guest();
    let to = |method: Method, path: &str| guest.request(method, path);
    let unknown = "METHOD_NOT_FOUND";
    assert_refused(vec![
        ("no such path", to(Method::GET, "/v1/unicorns"), 404, unknown, ""),
        ("the root", to(Method::GET, "/"), 404, unknown, ""),
        ("no such verb", to(Method::POST, "/v1/products:explode"), 404, unknown, ""),
        ("a gRPC path", to(Method::POST, "/kontor.order.v1.OrderService/GetOrder"), 404, unknown, ""),
        ("another method", to(Method::DELETE, "/v1/products"), 405, unknown, ""),
        ("another method of a verb", to(Method::GET, "/v1/products:import"), 405, unknown, ""),
        ("an odd method", to(Method::from_bytes(b"BREW").unwrap(), "/v1/carts"), 405, unknown, ""),
        ("a path that is no text", to(Method::GET, "/v1/products/%ff"), 400, "MALFORMED_REQUEST", ""),
    ])
    .await;
    let answer = Answer::to(to(Method::DELETE, "/v1/products")).await;
    assert_eq!(answer.headers["allow"], "GET, HEAD, OPTIONS");
}

#[tokio::test]
async fn bodies_that_are_no_message_are_refused() {
    let guest = Api::guest();
    let post = |body: &str| {
        let request = guest.request(Method::POST, "/v1/carts").header("content-type", "application/json");
        request.body(body.to_owned())
    };
    let malformed = "MALFORMED_REQUEST";
    let too_deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let text = guest.request(Method::POST, "/v1/carts").header("content-type", "text/plain").body("{}");
    let with_body = guest.request(Method::GET, "/v1/products").header("content-type", "application/json").body("{}");
    assert_refused(vec![
        ("an unknown field", post(r#"{"colour": "red"}"#), 400, malformed, "colour"),
        ("an unknown field inside", post(r#"{"shippingAddress": {"x": 1}}"#), 400, malformed, "shippingAddress.x"),
        ("a field twice", post(r#"{"email": "a@b.c", "email": "b@b.c"}"#), 400, malformed, "email"),
        ("a wrong type", post(r#"{"email": 7}"#), 400, malformed, "email"),
        (
            "a wrong type inside",
            post(r#"{"shippingAddress": {"recipients": [1]}}"#),
            400,
            malformed,
            "shippingAddress.recipients[0]",
        ),
        ("a list", post("[]"), 400, malformed, "cart"),
        ("half a body", post(r#"{"email": "#), 400, malformed, "email"),
        ("two bodies", post("{} {}"), 400, malformed, ""),
        ("no JSON", post("email=a"), 400, malformed, "cart"),
        ("no UTF-8 escape", post(r#"{"email": "\ud800"}"#), 400, malformed, "email"),
        ("too deep", post(&too_deep), 400, malformed, "cart"),
        ("another type", text, 415, malformed, ""),
        ("a body where none is taken", with_body, 400, malformed, ""),
    ])
    .await;
}

/// Details go in trailers, of which clients take 8 KiB, and the connection to a service ends that carries more.
#[tokio::test]
async fn a_request_that_breaks_rules_without_number_is_told_some_of_them() {
    let guest = Api::guest();
    for count in [100, 300, 850] {
        let path = format!("/v1/products/-/variants:batchGet?{}", vec!["names=a"; count].join("&"));
        let answer = guest.get(&path).await;
        assert_eq!(
            (answer.status, &answer.body["reason"]),
            (400, &"FIELD_VIOLATION".into()),
            "{count}: {}",
            answer.body
        );
        let violations = answer.body["violations"].as_array().unwrap().len();
        assert!((1..=20).contains(&violations), "{count}: {violations}");
    }
    guest.get("/v1/products").await.ok();
}

/// The answer comes before the body is read. It must arrive all the same, and not spoil the connection for the next request.
#[tokio::test]
async fn a_body_that_is_too_large_is_refused_and_the_next_request_answered() {
    let guest = Api::guest();
    let too_large = json!({"email": "x".repeat(1024 * 1024)});
    for round in 0..30 {
        let large = guest.posting("/v1/carts", &too_large).send().await;
        let large = large.unwrap_or_else(|error| panic!("round {round}, too large: {error:?}"));
        assert_eq!(large.status(), 413);
        assert_eq!(large.headers()["content-type"], "application/problem+json");
        drop(large.bytes().await);
        let next = guest.posting("/v1/carts", &json!({})).send().await;
        let next = next.unwrap_or_else(|error| panic!("round {round}, the next: {error:?}"));
        assert_eq!(next.status(), 200);
    }
}

#[tokio::test]
async fn parameters_that_are_none_are_refused() {
    let guest = Api::guest();
    let list = |query: &str| guest.request(Method::GET, &format!("/v1/products?{query}"));
    let forged = list("pageToken=p1zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz");
    assert_refused(vec![
        ("a forged page token", forged, 400, "FIELD_VIOLATION", "pageToken"),
        ("a page token of one's own", list("pageToken=2"), 400, "FIELD_VIOLATION", "pageToken"),
        ("a negative page size", list("pageSize=-1"), 400, "FIELD_VIOLATION", "pageSize"),
        ("a page size that is no number", list("pageSize=ten"), 400, "MALFORMED_REQUEST", "pageSize"),
        ("a page size out of range", list("pageSize=2147483648"), 400, "MALFORMED_REQUEST", "pageSize"),
        ("an unknown parameter", list("filter=cheap"), 400, "MALFORMED_REQUEST", "filter"),
        ("the same one twice", list("pageSize=1&pageSize=2"), 400, "MALFORMED_REQUEST", "pageSize"),
    ])
    .await;
}

#[tokio::test]
async fn names_that_name_nothing_are_not_found() {
    let guest = Api::guest();
    let get = |name: &str| guest.request(Method::GET, &format!("/v1/{name}"));
    let (nobody, none) = ("018f4e2a-7c1b-7d3e-9a52-0c6f1f0e8b11", "RESOURCE_NOT_FOUND");
    assert_refused(vec![
        ("a product", get("products/no-such-thing"), 404, none, ""),
        ("a product by id", get(&format!("products/{nobody}")), 404, none, ""),
        ("a variant", get(&format!("products/{nobody}/variants/{nobody}")), 404, none, ""),
        ("a variant that is no name", get("products/pour-over-kettle/variants/black"), 404, none, ""),
        ("stock", get(&format!("products/-/variants/{nobody}/stock")), 404, none, ""),
        ("an order", get(&format!("orders/{nobody}")), 404, none, ""),
        ("an order that is no name", get("orders/1"), 400, "FIELD_VIOLATION", "name"),
        ("a cart", get("carts/0123456789abcdefghijkl"), 404, none, ""),
        ("a cart that is no name", get("carts/1"), 400, "FIELD_VIOLATION", "name"),
    ])
    .await;
}
