//! The W3C trace context (traceparent, tracestate) in headers and in rows, so that one purchase is one trace across
//! processes, queues and restarts.
//!
//! With an exporter, OpenTelemetry's layer makes a span of each of ours in a sampled trace, and its context is what is passed on.
//! Without one, that layer is not installed, since it would cost a tenth of an order's CPU for nothing: then the caller's context is
//! kept beside the span and passed on as it came, so that a trace does not end where a process exports nothing. A call without a
//! context gets a new one. A trace that is not sampled is treated the same way.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::LazyLock;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::{Dispatch, Id, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Registry;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

static W3C: LazyLock<TraceContextPropagator> = LazyLock::new(TraceContextPropagator::new);

/// The field of a span that names its trace. Spans that have it begin a trace, or go on with a caller's.
pub(crate) const TRACE_ID: &str = "trace_id";

thread_local! {
    /// What the span that is being made begins or goes on with.
    static BEGINNING: RefCell<Option<Beginning>> = const { RefCell::new(None) };
}

/// A span that begins a trace, or goes on with its caller's.
pub(crate) struct Beginning {
    /// The caller's context, which may be empty.
    pub(crate) caller: Context,
    pub(crate) trace_id: TraceId,
}

impl Beginning {
    /// Of the span that is being made on this thread, if it is one of those.
    pub(crate) fn current<T>(ask: impl FnOnce(&Self) -> T) -> Option<T> {
        BEGINNING.with_borrow(|beginning| beginning.as_ref().map(ask))
    }
}

/// The context that a span was given by [`adopt`]; spans below it belong to the same trace.
struct Adopted(SpanContext);

/// Writes the current span's context into the headers of an outgoing call.
pub fn inject(headers: &mut HeaderMap) {
    if let Some(context) = current_context() {
        W3C.inject_context(&context, &mut Headers(headers));
    }
}

/// Makes the span of a call: a child of the caller's, if the headers name one, with the trace's id on it for the log.
///
/// The span needs an empty field [`TRACE_ID`].
pub fn adopt(headers: &HeaderMap, make_span: impl FnOnce() -> Span) -> Span {
    adopt_context(W3C.extract_with_context(&Context::new(), &ReadHeaders(headers)), make_span)
}

/// The current span's `traceparent`, to be kept in a row.
pub fn current() -> Option<String> {
    let mut fields = HashMap::new();
    W3C.inject_context(&current_context()?, &mut fields);
    fields.remove("traceparent")
}

/// Like [`adopt`], from a `traceparent` that was kept in a row.
pub fn adopt_parent(traceparent: Option<&str>, make_span: impl FnOnce() -> Span) -> Span {
    let fields: HashMap<_, _> =
        HashMap::from_iter(traceparent.map(|value| ("traceparent".to_owned(), value.to_owned())));
    adopt_context(W3C.extract_with_context(&Context::new(), &fields), make_span)
}

fn adopt_context(caller: Context, make_span: impl FnOnce() -> Span) -> Span {
    let callers = caller.span().span_context().clone();
    let own = if callers.is_valid() { callers.clone() } else { new_context() };
    BEGINNING.set(Some(Beginning { caller: caller.clone(), trace_id: own.trace_id() }));
    let span = make_span();
    if callers.is_valid() {
        // Fails when the span is not exported; then there is none to have a parent.
        let _ = span.set_parent(caller);
    }
    let exported = span.context().span().span_context().clone();
    BEGINNING.set(None);
    let own = if exported.is_valid() { exported } else { own };
    let trace_id = own.trace_id();
    let is_kept = span.with_subscriber(|(id, dispatch)| {
        with_span(id, dispatch, |span| span.extensions_mut().replace(Adopted(own))).is_some()
    });
    if is_kept == Some(true) {
        span.record(TRACE_ID, tracing::field::display(trace_id));
    }
    span
}

/// The context of a call that came without one. Nothing of it is recorded, which its flags say.
fn new_context() -> SpanContext {
    let (trace, span) = (TraceId::from(rand::random::<u128>()), SpanId::from(rand::random::<u64>()));
    SpanContext::new(trace, span, TraceFlags::NOT_SAMPLED, false, TraceState::NONE)
}

fn current_context() -> Option<Context> {
    let span = Span::current();
    let exported = span.context();
    if exported.span().span_context().is_valid() {
        return Some(exported);
    }
    let adopted = span.with_subscriber(|(id, dispatch)| with_span(id, dispatch, |span| adopted(&span))).flatten();
    adopted.flatten().map(|context| Context::new().with_remote_span_context(context))
}

fn with_span<T>(id: &Id, dispatch: &Dispatch, work: impl FnOnce(SpanRef<'_, Registry>) -> T) -> Option<T> {
    Some(work(dispatch.downcast_ref::<Registry>()?.span(id)?))
}

/// The context of the nearest span that adopted one, among this and those above it.
fn adopted<S: for<'a> LookupSpan<'a>>(span: &SpanRef<'_, S>) -> Option<SpanContext> {
    span.scope().find_map(|span| span.extensions().get::<Adopted>().map(|adopted| adopted.0.clone()))
}

/// The trace that a span belongs to, for the log.
pub(crate) fn trace_id<S: for<'a> LookupSpan<'a>>(span: &SpanRef<'_, S>) -> Option<TraceId> {
    adopted(span).map(|context| context.trace_id())
}

struct Headers<'a>(&'a mut HeaderMap);

impl Injector for Headers<'_> {
    fn set(&mut self, key: &str, value: String) {
        // An empty tracestate says nothing.
        if value.is_empty() {
            return;
        }
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
