//! Starts the edge with services behind it, and asks it.

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Duration;

use kontor_edge::{Edge, Upstreams, serve};
use kontor_proto::kontor::catalog::v1::inventory_service_server::InventoryServiceServer;
use kontor_proto::kontor::catalog::v1::product_service_server::ProductServiceServer;
use kontor_proto::kontor::catalog::v1::variant_service_server::VariantServiceServer;
use kontor_proto::kontor::order::v1::cart_service_server::CartServiceServer;
use kontor_proto::kontor::order::v1::order_service_server::OrderServiceServer;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::{Channel, Endpoint, Server};
use tonic_health::server::HealthReporter;

use crate::catalog::{FakeCatalog, Uploads};
use crate::order::FakeOrder;
use crate::trace::SPANS;

pub(crate) const CART: &str = "carts/0123456789abcdefghijkl";
pub(crate) const KEY: &str = "018f4e2a-7c1b-7d3e-9a52-0c6f1f0e8b11";

/// The edge and what is behind it. Catalog and order are up, auth and payment are down.
pub(crate) struct Harness {
    pub(crate) client: Client,
    pub(crate) address: SocketAddr,
    pub(crate) uploads: Uploads,
    pub(crate) health: HealthReporter,
}

impl Harness {
    pub(crate) async fn start() -> Self {
        Self::waiting(Duration::from_secs(60)).await
    }

    /// An edge that waits so long for an answer.
    pub(crate) async fn waiting(call_timeout: Duration) -> Self {
        LazyLock::force(&SPANS);
        kontor_testkit::metrics::install();
        let uploads = Uploads::default();
        let (health, services, channel) = services(uploads.clone()).await;
        tokio::spawn(services);
        let edge = Edge::new(kontor_proto::DESCRIPTOR_SET, upstreams(channel)).unwrap();
        let router = edge.with_call_timeout(call_timeout).router();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, router, std::future::pending()));
        Self { client: Client::new(), address, uploads, health }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    pub(crate) fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.request(Method::POST, path).header("content-type", "application/json").body(body)
    }
}

/// A channel to an address where nobody listens.
pub(crate) fn dead_channel() -> Channel {
    Endpoint::from_static("http://127.0.0.1:1").connect_lazy()
}

/// The JSON of an answer that must be good.
pub(crate) async fn ok(request: RequestBuilder) -> Value {
    let response = request.send().await.unwrap();
    let status = response.status();
    let body = response.text().await.unwrap();
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap()
}

/// The status and body of an answer that must be a problem of the agreed form.
pub(crate) async fn problem(request: RequestBuilder) -> (u16, Value) {
    problem_of(request.send().await.unwrap()).await
}

pub(crate) async fn problem_of(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let request_id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let body: Value = response.json().await.unwrap();
    let mut members: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    let agreed =
        ["code", "detail", "domain", "metadata", "reason", "requestId", "status", "title", "type", "violations"];
    assert_eq!(members, agreed);
    assert_eq!(body["status"], status);
    assert_eq!(body["requestId"], request_id);
    (status, body)
}

pub(crate) fn field(problem: &Value) -> &str {
    problem["violations"][0]["field"].as_str().unwrap_or("there is no violation")
}

fn upstreams(channel: Channel) -> Upstreams {
    Upstreams::new()
        .with("kontor.auth.v1", dead_channel())
        .with("kontor.catalog.v1", channel.clone())
        .with("kontor.order.v1", channel)
}

async fn services(uploads: Uploads) -> (HealthReporter, impl Future<Output = ()>, Channel) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (reporter, health) = tonic_health::server::health_reporter();
    let catalog = FakeCatalog { uploads };
    let server = Server::builder()
        .add_service(health)
        .add_service(ProductServiceServer::new(catalog.clone()))
        .add_service(VariantServiceServer::new(catalog.clone()))
        .add_service(InventoryServiceServer::new(catalog))
        .add_service(CartServiceServer::new(FakeOrder))
        .add_service(OrderServiceServer::new(FakeOrder))
        .serve_with_incoming(TcpListenerStream::new(listener));
    let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy();
    (reporter, async { server.await.unwrap() }, channel)
}
