//! The W3C trace context (traceparent, tracestate) in headers and in rows, so that one purchase is one trace across
//! processes, queues and restarts.

use std::collections::HashMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, global};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Writes the current span's context into the headers of an outgoing call.
pub fn inject(headers: &mut HeaderMap) {
    let context = Span::current().context();
    global::get_text_map_propagator(|propagator| propagator.inject_context(&context, &mut Headers(headers)));
}

/// Makes the span a child of the caller's, if the headers name one, and notes the trace's id on it for the log.
///
/// The span needs an empty field `trace_id`.
pub fn adopt(span: &Span, headers: &HeaderMap) {
    adopt_context(span, global::get_text_map_propagator(|propagator| propagator.extract(&ReadHeaders(headers))));
}

/// The current span's `traceparent`, to be kept in a row.
pub fn current() -> Option<String> {
    let context = Span::current().context();
    let mut fields = HashMap::new();
    global::get_text_map_propagator(|propagator| propagator.inject_context(&context, &mut fields));
    fields.remove("traceparent")
}

/// Like [`adopt`], from a `traceparent` that was kept in a row.
pub fn adopt_parent(span: &Span, traceparent: Option<&str>) {
    let fields: HashMap<_, _> =
        HashMap::from_iter(traceparent.map(|value| ("traceparent".to_owned(), value.to_owned())));
    adopt_context(span, global::get_text_map_propagator(|propagator| propagator.extract(&fields)));
}

fn adopt_context(span: &Span, context: Context) {
    if context.span().span_context().is_valid() {
        // Fails only when no tracer is installed; then there is no trace to join.
        let _ = span.set_parent(context);
    }
    let own = span.context();
    let own = own.span().span_context().clone();
    if own.is_valid() {
        span.record("trace_id", own.trace_id().to_string());
    }
}

struct Headers<'a>(&'a mut HeaderMap);

impl Injector for Headers<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value)) {
            self.0.insert(name, value);
        }
    }
}

struct ReadHeaders<'a>(&'a HeaderMap);

impl Extractor for ReadHeaders<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}
