//! The probes.

use std::time::Duration;

use kontor_edge::{Edge, Upstreams};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tonic::transport::Endpoint;
use tonic_health::ServingStatus;

use crate::support::{Harness, ok, problem};

#[tokio::test]
async fn a_service_that_is_down_is_told_by_name() {
    let edge = Harness::start().await;
    let response = edge.get("/readyz").send().await.unwrap();
    assert_eq!(response.status(), 503);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body, json!({"status": "not ready", "services": [{"service": "auth", "reason": "can't be reached"}]}));
}

#[tokio::test]
async fn a_service_that_does_not_serve_is_told_by_name() {
    let edge = Harness::start().await;
    edge.health.set_service_status("", ServingStatus::NotServing).await;
    let body: Value = edge.get("/readyz").send().await.unwrap().json().await.unwrap();
    let reasons: Vec<_> = body["services"].as_array().unwrap().iter().map(|it| it["reason"].as_str()).collect();
    assert_eq!(reasons, [Some("can't be reached"), Some("does not serve"), Some("does not serve")]);
}

#[tokio::test]
async fn a_service_that_keeps_silent_is_not_waited_for() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy();
    let ready = readiness(channel);
    let body = tokio::time::timeout(Duration::from_secs(3), ready).await.unwrap();
    assert_eq!(body["services"][0]["reason"], "did not answer within a second");
}

#[tokio::test]
async fn all_up_is_ready() {
    let (reporter, health) = tonic_health::server::health_reporter();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
    tokio::spawn(tonic::transport::Server::builder().add_service(health).serve_with_incoming(incoming));
    let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy();
    assert_eq!(readiness(channel).await, json!({"status": "ready"}));
    drop(reporter);
}

#[tokio::test]
async fn living_needs_no_service() {
    let edge = Harness::start().await;
    assert_eq!(ok(edge.get("/livez")).await, json!({"status": "live"}));
}

#[tokio::test]
async fn the_probes_are_for_get_alone() {
    let edge = Harness::start().await;
    let response = edge.post("/livez", "{}").send().await.unwrap();
    assert_eq!((response.status().as_u16(), &response.headers()["allow"]), (405, &"GET, HEAD".parse().unwrap()));
    assert_eq!(problem(edge.post("/readyz", "{}")).await.0, 405);
}

/// What an edge says that has the channel for all its services.
async fn readiness(channel: tonic::transport::Channel) -> Value {
    let packages = ["kontor.auth.v1", "kontor.catalog.v1", "kontor.order.v1"];
    let upstreams = packages.into_iter().fold(Upstreams::new(), |all, package| all.with(package, channel.clone()));
    let router = Edge::new(kontor_proto::DESCRIPTOR_SET, upstreams).unwrap().router();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(kontor_edge::serve(listener, router, std::future::pending()));
    reqwest::get(format!("http://{address}/readyz")).await.unwrap().json().await.unwrap()
}
