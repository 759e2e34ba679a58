//! What every service measures alike: by a process of its own, whose meter provider is there before anything is measured.

use std::sync::Arc;
use std::time::Duration;

use kontor_proto::kontor::auth::v1::token_service_client::TokenServiceClient;
use kontor_proto::kontor::auth::v1::token_service_server::TokenServiceServer;
use kontor_proto::kontor::auth::v1::{GetJwksRequest, WatchRevocationsRequest};
use kontor_proto::kontor::catalog::v1::product_service_client::ProductServiceClient;
use kontor_proto::kontor::catalog::v1::{GetProductRequest, ListProductsRequest};
use kontor_runtime::{Error, Fault, Progress, Server, Verifier, Worker, metrics};
use kontor_testkit::issuer::ISSUER;
use kontor_testkit::metrics::{install, value, value_becomes};
use kontor_testkit::{Issuer, channel, listener, with_token};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::transport::Channel;

const CALLS: &str = "rpc_server_call_duration_seconds_count";

/// A service with the methods of the issuer, to which its callers are known.
async fn serve() -> (Issuer, Channel) {
    install();
    let issuer = Issuer::start().await;
    let (socket, addr) = listener().await;
    let verifier = Verifier::remote(ISSUER, channel(issuer.addr));
    let server = Server::new("test", Arc::new(verifier)).with(TokenServiceServer::new(issuer.clone()));
    let failing = || std::future::ready(Err::<Progress, Error>("a failure of the test".into()));
    let server = server.worker(Worker::new("failing", Duration::from_millis(10), failing));
    tokio::spawn(server.serve(socket, CancellationToken::new()));
    (issuer, channel(addr))
}

fn of(method: &'static str, code: &'static str) -> [(&'static str, &'static str); 3] {
    [("rpc_system_name", "grpc"), ("rpc_method", method), ("rpc_response_status_code", code)]
}

#[tokio::test]
async fn each_call_counts_by_its_method_and_its_end() {
    let (_issuer, channel) = serve().await;
    let mut tokens = TokenServiceClient::new(channel.clone());
    tokens.get_jwks(GetJwksRequest {}).await.unwrap();
    value_becomes(CALLS, &of("kontor.auth.v1.TokenService/GetJwks", "OK"), |count| count == 1.0).await;
    // Refused by the layers below.
    tokens.watch_revocations(WatchRevocationsRequest {}).await.unwrap_err();
    let watch = "kontor.auth.v1.TokenService/WatchRevocations";
    value_becomes(CALLS, &of(watch, "UNAUTHENTICATED"), |count| count == 1.0).await;
    assert_eq!(value(CALLS, &[("error_type", "UNAUTHENTICATED")]), 0.0, "that was the caller's fault");
}

#[tokio::test]
async fn methods_that_are_not_served_count_together() {
    let (_issuer, channel) = serve().await;
    let mut products = ProductServiceClient::new(channel);
    products.get_product(GetProductRequest { name: "products/x".into() }).await.unwrap_err();
    products.list_products(ListProductsRequest::default()).await.unwrap_err();
    let labels = [&of("_OTHER", "UNIMPLEMENTED")[..], &[("error_type", "UNIMPLEMENTED")]].concat();
    value_becomes(CALLS, &labels, |count| count == 2.0).await;
}

#[tokio::test]
async fn a_stream_counts_when_it_ends() {
    let (issuer, channel) = serve().await;
    let request = with_token(WatchRevocationsRequest {}, &issuer.service("order"));
    let stream = TokenServiceClient::new(channel).watch_revocations(request).await.unwrap();
    let watch = "kontor.auth.v1.TokenService/WatchRevocations";
    assert_eq!(value(CALLS, &of(watch, "CANCELLED")), 0.0);
    drop(stream);
    value_becomes(CALLS, &of(watch, "CANCELLED"), |count| count == 1.0).await;
}

#[tokio::test]
async fn failures_of_workers_and_refusals_of_too_much_count() {
    let (_issuer, _channel) = serve().await;
    value_becomes("kontor_worker_failures_total", &[("kontor_worker_name", "failing")], |count| count >= 2.0).await;
    let _status = Status::from(Fault::overloaded("tests", "too many tests"));
    value_becomes("kontor_requests_shed_total", &[("kontor_shed_reason", "tests")], |count| count == 1.0).await;
    metrics::set_ready("test", true);
    assert_eq!(value("kontor_service_ready", &[("kontor_service", "test")]), 1.0);
    metrics::set_ready("test", false);
    assert_eq!(value("kontor_service_ready", &[("kontor_service", "test")]), 0.0);
}

#[test]
fn the_process_and_its_build_are_described() {
    install();
    assert!(value("process_cpu_time_seconds_total", &[]) >= 0.0);
    assert!(value("process_memory_usage_bytes", &[]) > 0.0);
    assert_eq!(value("kontor_build_info", &[("service_version", env!("CARGO_PKG_VERSION"))]), 1.0);
    let text = metrics::render();
    for line in ["# TYPE kontor_build_info gauge", "# TYPE process_cpu_time_seconds_total counter"] {
        assert!(text.contains(line), "{text}");
    }
}
