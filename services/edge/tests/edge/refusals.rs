//! Requests that the edge refuses by itself, each with the field at fault.

use futures_util::stream;
use reqwest::{Body, Method};
use serde_json::Value;

use crate::support::{CART, Harness, KEY, field, problem};

const MIB: usize = 1024 * 1024;

async fn post_order(edge: &Harness, body: &str) -> Value {
    let (status, body) = problem(edge.post("/v1/orders", body.to_owned())).await;
    assert_eq!(status, 400, "{body}");
    assert_eq!(body["reason"], "MALFORMED_REQUEST");
    assert_eq!(body["code"], "INVALID_ARGUMENT");
    assert_eq!(body["domain"], "kontor");
    assert_eq!(body["type"], "urn:kontor:error:MALFORMED_REQUEST");
    assert_eq!(body["title"], "Malformed request");
    body
}

#[tokio::test]
async fn an_unknown_field_is_named_with_its_path() {
    let edge = Harness::start().await;
    assert_eq!(field(&post_order(&edge, r#"{"cart":"x","color":1}"#).await), "color");
    assert_eq!(field(&post_order(&edge, r#"{"expectedTotal":{"unit":"1"}}"#).await), "expectedTotal.unit");
    let (_, body) = problem(edge.post("/v1/carts", r#"{"items":[{},{"x":1}]}"#)).await;
    assert_eq!(field(&body), "items[1].x");
}

#[tokio::test]
async fn a_value_of_the_wrong_type_is_named_with_its_path() {
    let edge = Harness::start().await;
    assert_eq!(field(&post_order(&edge, r#"{"cart":7}"#).await), "cart");
    assert_eq!(field(&post_order(&edge, r#"{"expectedTotal":{"units":"1.5"}}"#).await), "expectedTotal.units");
    assert_eq!(field(&post_order(&edge, r#"{"expectedTotal":[]}"#).await), "expectedTotal");
    let adjust = r#"{"delta":"1","reason":"STOLEN"}"#;
    let (_, body) = problem(edge.post("/v1/products/p/variants/v:adjustStock", adjust)).await;
    assert_eq!(field(&body), "reason");
}

#[tokio::test]
async fn what_is_no_json_is_refused() {
    let edge = Harness::start().await;
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for body in ["{", "[]", "null", "7", "{\"cart\":\"\u{1}\"}", "{'cart':1}", "{} {}", "{}x", &deep] {
        post_order(&edge, body).await;
    }
    let (status, _) = problem(edge.post("/v1/orders", vec![b'{', b'"', 0xff, b'"', b':', b'1', b'}'])).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_body_over_one_mebibyte_is_refused_before_it_is_parsed() {
    let edge = Harness::start().await;
    let (status, body) = problem(edge.post("/v1/orders", vec![b'x'; MIB + 1])).await;
    assert_eq!((status, body["reason"].as_str()), (413, Some("REQUEST_TOO_LARGE")));
    let chunks = stream::iter((0..20).map(|_| Ok::<_, std::io::Error>(vec![b'x'; MIB / 16])));
    let (status, _) = problem(edge.post("/v1/orders", Body::wrap_stream(chunks))).await;
    assert_eq!(status, 413);
    // At the limit it is parsed: what is wrong with it then is that it is no JSON.
    let (status, _) = problem(edge.post("/v1/orders", vec![b'x'; MIB])).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_body_must_be_json_by_its_type() {
    let edge = Harness::start().await;
    let send = |headers: &[(&'static str, &'static str)]| {
        let request = edge.request(Method::POST, "/v1/orders").body("{}");
        problem(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)))
    };
    assert_eq!(send(&[]).await.0, 415);
    assert_eq!(send(&[("content-type", "text/plain")]).await.0, 415);
    assert_eq!(send(&[("content-type", "application/json; charset=latin1")]).await.0, 415);
    assert_eq!(send(&[("content-type", "application/json"), ("content-encoding", "gzip")]).await.0, 415);
    assert_eq!(send(&[("content-type", "Application/JSON;charset=\"utf-8\"")]).await.0, 400);
}

#[tokio::test]
async fn a_method_without_a_body_refuses_one() {
    let edge = Harness::start().await;
    let request = edge.get("/v1/products").header("content-type", "application/json").body("{}");
    assert_eq!(problem(request).await.0, 400);
}

#[tokio::test]
async fn bad_query_parameters_are_named() {
    let edge = Harness::start().await;
    let refused = async |path: &str| {
        let (status, body) = problem(edge.get(path)).await;
        assert_eq!(status, 400, "{path}");
        field(&body).to_owned()
    };
    assert_eq!(refused("/v1/products?pagesize=1").await, "pagesize");
    assert_eq!(refused("/v1/products?pageSize=1&page_size=2").await, "page_size");
    assert_eq!(refused("/v1/products?pageSize=many").await, "pageSize");
    assert_eq!(refused("/v1/products?pageSize=99999999999").await, "pageSize");
    assert_eq!(refused("/v1/products?pageToken=%ff").await, "");
    assert_eq!(refused("/v1/products/aeropress?name=products/x").await, "name");
    assert_eq!(refused("/v1/products/p/variants:batchGet?names=a&parent=x").await, "parent");
    let body_binds = edge.post("/v1/orders?cart=x", "{}");
    assert_eq!(field(&problem(body_binds).await.1), "cart");
    let body_field_binds = edge.post("/v1/carts?cart.email=x", "{}");
    assert_eq!(field(&problem(body_field_binds).await.1), "email");
}

#[tokio::test]
async fn a_badly_encoded_path_is_refused() {
    let edge = Harness::start().await;
    for path in ["/v1/products/%zz", "/v1/products/%ff"] {
        assert_eq!(problem(edge.get(path)).await.0, 400, "{path}");
    }
}

#[tokio::test]
async fn an_encoded_slash_does_not_leave_its_segment() {
    let edge = Harness::start().await;
    let (status, body) = problem(edge.get("/v1/products/a%2Fvariants%2Fb")).await;
    assert_eq!((status, field(&body)), (400, "name"));
}

#[tokio::test]
async fn the_contracts_own_rules_come_back_in_json_spelling() {
    let edge = Harness::start().await;
    let body = format!(r#"{{"cart":"{CART}","paymentToken":"t","requestId":"{}"}}"#, &KEY[1..]);
    let (status, body) = problem(edge.post("/v1/orders", body)).await;
    assert_eq!((status, body["reason"].as_str()), (400, Some("FIELD_VIOLATION")));
    let fields: Vec<_> = body["violations"].as_array().unwrap().iter().map(|it| it["field"].as_str()).collect();
    assert_eq!(fields, [Some("expectedTotal"), Some("requestId")]);
}

/// Services take headers up to a size, and answer a larger one by closing the connection that all callers share.
#[tokio::test]
async fn a_token_that_is_too_long_harms_its_sender_only() {
    let edge = Harness::start().await;
    for length in [8 * 1024, 17_000, 200_000] {
        let request = edge.request(Method::GET, &format!("/v1/{CART}")).bearer_auth("a".repeat(length));
        let (status, body) = problem(request).await;
        assert_eq!((status, &body["reason"]), (401, &Value::from("TOKEN_INVALID")), "{length}");
    }
    let answer = edge.request(Method::GET, &format!("/v1/{CART}")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}
