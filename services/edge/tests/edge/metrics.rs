//! Requests count by their route, and never by what a caller made up.

use kontor_testkit::metrics::{value, value_becomes};
use reqwest::Method;

use crate::support::{Harness, ok};

const COUNT: &str = "http_server_request_duration_seconds_count";

#[tokio::test]
async fn requests_count_by_method_route_and_status() {
    let edge = Harness::start().await;
    let route = ("http_route", "/v1/{name=products/*}");
    let labels = [("http_request_method", "GET"), route, ("http_response_status_code", "200"), ("url_scheme", "http")];
    let before = value(COUNT, &labels);
    ok(edge.get("/v1/products/x")).await;
    value_becomes(COUNT, &labels, |count| count > before).await;
    assert!(!kontor_runtime::metrics::render().contains("products/x"), "the path may hold a secret");

    edge.get("/nowhere/at-all").send().await.unwrap();
    edge.request(Method::from_bytes(b"BREW").unwrap(), "/v1/products/x").send().await.unwrap();
    value_becomes(COUNT, &[("http_request_method", "_OTHER")], |count| count >= 1.0).await;
    let text = kontor_runtime::metrics::render();
    assert!(!text.contains("BREW") && !text.contains("at-all"), "{text}");
}
