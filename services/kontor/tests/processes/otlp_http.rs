//! A receiver of traces that speaks OTLP over HTTP, with protobuf bodies, as collectors do on port 4318.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

type Spans = Arc<Mutex<Vec<Span>>>;

pub(crate) struct OtlpHttpReceiver {
    pub(crate) addr: SocketAddr,
    spans: Spans,
}

impl OtlpHttpReceiver {
    /// Starts one; it ends with the test's runtime.
    pub(crate) async fn start() -> Self {
        let (listener, addr) = kontor_testkit::listener().await;
        let spans = Spans::default();
        let router = Router::new()
            .route("/v1/traces", post(receive))
            .route("/v1/metrics", post(async || StatusCode::OK))
            .with_state(spans.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { addr, spans }
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap().clone()
    }
}

async fn receive(State(spans): State<Spans>, headers: HeaderMap, body: Bytes) -> StatusCode {
    if headers.get("content-type").is_none_or(|value| value != "application/x-protobuf") {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE;
    }
    let Ok(request) = ExportTraceServiceRequest::decode(body) else { return StatusCode::BAD_REQUEST };
    let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
    spans.lock().unwrap().extend(scopes.flat_map(|scope| scope.spans));
    StatusCode::OK
}
