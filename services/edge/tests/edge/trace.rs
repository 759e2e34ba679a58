//! Traces go through: the service is below the caller's span.

use std::sync::LazyLock;

use opentelemetry::trace::{SpanKind, TracerProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;

use crate::support::{Harness, ok};

/// The spans of all tests. One subscriber for the process, set before the first request: tracing asks the default of
/// whichever thread comes first whether a span is wanted, and remembers the answer for all threads.
pub(crate) static SPANS: LazyLock<InMemorySpanExporter> = LazyLock::new(|| {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
    // Without the filter, spans of h2's connections would be children of the request that opens one, and hold it open.
    let ours = Targets::new().with_target("kontor_edge", tracing::Level::INFO);
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test")).with_filter(ours);
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(layer)).unwrap();
    exporter
});

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

#[tokio::test]
async fn one_server_span_per_request_between_caller_and_service() {
    let edge = Harness::start().await;
    let caller = format!("00-{TRACE}-b7ad6b7169203331-01");
    let product = ok(edge.get("/v1/products/x").header("traceparent", caller)).await;
    let spans = SPANS.get_finished_spans().unwrap();
    let spans: Vec<_> = spans.iter().filter(|span| span.span_context.trace_id().to_string() == TRACE).collect();
    let [span] = spans[..] else { panic!("not one span: {spans:?}") };
    assert_eq!(span.name, "GET /v1/{name=products/*}");
    assert_eq!(span.span_kind, SpanKind::Server);
    assert_eq!(span.parent_span_id.to_string(), "b7ad6b7169203331");
    let sent = format!("00-{TRACE}-{}-01", span.span_context.span_id());
    assert_eq!(product["vendor"], sent, "the service got the edge's span as its parent");

    let attribute = |name: &str| {
        let found = span.attributes.iter().find(|attribute| attribute.key.as_str() == name);
        found.map(|attribute| attribute.value.to_string()).unwrap_or_default()
    };
    assert_eq!(attribute("http.request.method"), "GET");
    assert_eq!(attribute("http.route"), "/v1/{name=products/*}");
    assert_eq!(attribute("http.response.status_code"), "200");
    assert!(!format!("{span:?}").contains("products/x"), "the path may hold a secret");
}
