//! The services are told where a call came from.

use std::net::Ipv4Addr;

use http::header::USER_AGENT;

use crate::support::{Harness, ok};

/// What the service was told: the addresses and the user agent.
async fn told(request: reqwest::RequestBuilder) -> (String, String) {
    let product = ok(request).await;
    let text = |member: &str| product[member].as_str().unwrap_or_default().to_owned();
    (text("title"), text("description"))
}

#[tokio::test]
async fn the_address_and_the_program_of_a_caller_are_passed_on() {
    let edge = Harness::start().await;
    let product = edge.get("/v1/products/x").header(USER_AGENT, "shop/2.1 (test)");
    assert_eq!(told(product).await, ("127.0.0.1".into(), "shop/2.1 (test)".into()));
    // One that says nothing is not taken for the edge itself.
    let silent = edge.get("/v1/products/x").header("x-forwarded-user-agent", "forged");
    assert_eq!(told(silent).await, ("127.0.0.1".into(), String::new()));
}

#[tokio::test]
async fn what_a_caller_says_of_itself_stays_left_of_what_is_known() {
    let edge = Harness::start().await;
    let one = edge.get("/v1/products/x").header("x-forwarded-for", "203.0.113.9, 10.0.0.1");
    assert_eq!(told(one).await.0, "203.0.113.9, 10.0.0.1, 127.0.0.1");
    let two = edge.get("/v1/products/x").header("x-forwarded-for", "203.0.113.9").header("x-forwarded-for", "10.0.0.1");
    assert_eq!(told(two).await.0, "203.0.113.9, 10.0.0.1, 127.0.0.1");
}

#[tokio::test]
async fn long_headers_are_cut_and_do_no_harm() {
    let edge = Harness::start().await;
    let many = vec!["203.0.113.9"; 2000].join(", ");
    let long = edge.get("/v1/products/x").header("x-forwarded-for", many).header(USER_AGENT, "a".repeat(20_000));
    let (from, agent) = told(long).await;
    assert!(from.len() < 600 && from.starts_with("203.0.113.9, ") && from.ends_with(", 127.0.0.1"), "{from}");
    assert_eq!(agent.len(), 512);
    assert!(from.split(", ").all(|hop| hop.parse::<Ipv4Addr>().is_ok()), "{from}");
}
