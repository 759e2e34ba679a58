//! What services refuse, or fail at, as HTTP answers.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{CART, Harness, problem, problem_of};

fn order(token: &str) -> String {
    json!({"cart": CART, "expectedTotal": {"currencyCode": "CHF"}, "paymentToken": token}).to_string()
}

async fn place(token: &str) -> (u16, Value) {
    let edge = Harness::start().await;
    problem(edge.post("/v1/orders", order(token))).await
}

#[tokio::test]
async fn details_are_decoded() {
    let (status, body) = place("tok_stock").await;
    assert_eq!((status, body["code"].as_str()), (400, Some("FAILED_PRECONDITION")));
    assert_eq!(body["reason"], "INSUFFICIENT_STOCK");
    assert_eq!(body["metadata"], json!({"sku": "AERO-1"}));
    assert_eq!(body["violations"], json!([{"field": "AERO-1", "description": "3 are left"}]));
    assert_eq!(body["detail"], "told by the service: INSUFFICIENT_STOCK");
    assert_eq!(body["title"], "Insufficient stock");
}

#[tokio::test]
async fn a_delay_is_rounded_up_to_seconds() {
    let edge = Harness::start().await;
    let response = edge.post("/v1/orders", order("tok_busy")).send().await.unwrap();
    assert_eq!(response.headers()["retry-after"], "2");
    assert_eq!(problem_of(response).await.0, 503);
}

#[tokio::test]
async fn reasons_choose_the_status_where_the_code_does_not() {
    let (status, _) = place("tok_large").await;
    assert_eq!(status, 413);
    let (status, body) = place("tok_token").await;
    assert_eq!((status, body["reason"].as_str()), (401, Some("TOKEN_EXPIRED")));
}

#[tokio::test]
async fn a_fault_tells_nothing_of_the_inside() {
    for token in ["tok_fault", "tok_bare_fault"] {
        let (status, body) = place(token).await;
        assert_eq!((status, body["reason"].as_str()), (500, Some("INTERNAL_FAULT")), "{token}");
        assert_eq!(body["metadata"], json!({}));
        let text = body.to_string();
        assert!(!text.contains("relation") && !text.contains("told by the service"), "{text}");
    }
}

#[tokio::test]
async fn a_service_that_is_down_is_unavailable_by_name() {
    let edge = Harness::start().await;
    let response = edge.get("/v1/users/me").send().await.unwrap();
    assert_eq!(response.headers()["retry-after"], "1");
    let (status, body) = problem_of(response).await;
    assert_eq!((status, body["reason"].as_str()), (503, Some("DEPENDENCY_UNAVAILABLE")));
    assert_eq!(body["detail"], "auth can't be reached right now; try again");
}

#[tokio::test]
async fn a_service_that_drops_a_call_is_unavailable_and_the_outcome_unknown() {
    let (status, body) = place("tok_panic").await;
    assert_eq!((status, body["reason"].as_str()), (503, Some("DEPENDENCY_UNAVAILABLE")));
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_a_timeout() {
    let edge = Harness::waiting(Duration::from_millis(500)).await;
    let (status, body) = problem(edge.post("/v1/orders", order("tok_slow"))).await;
    assert_eq!((status, body["code"].as_str()), (504, Some("DEADLINE_EXCEEDED")));
    assert_eq!(body["reason"], "DEADLINE_PASSED");
}
