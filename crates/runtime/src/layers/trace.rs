//! One server span for each call, named as the call, child of the caller's span, with the gRPC code at its end.

use std::task::{Context, Poll};

use http::{Request, Response};
use tonic::Code;
use tonic::body::Body;
use tower::{Layer, Service};
use tracing::field::Empty;
use tracing::{Instrument, Span};

use super::{Answer, is_plumbing};
use crate::propagation;

#[derive(Clone)]
pub(crate) struct TraceLayer {
    pub(crate) service: &'static str,
}

impl<S> Layer<S> for TraceLayer {
    type Service = Trace<S>;

    fn layer(&self, inner: S) -> Trace<S> {
        Trace { inner, service: self.service }
    }
}

#[derive(Clone)]
pub(crate) struct Trace<S> {
    inner: S,
    service: &'static str,
}

impl<S> Service<Request<Body>> for Trace<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Answer<S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if is_plumbing(&request) {
            return Box::pin(self.inner.call(request));
        }
        let span = span_of(&request, self.service);
        let answer = span.in_scope(|| self.inner.call(request));
        let recorded = span.clone();
        let answer = async move {
            let response = answer.await?;
            record(&recorded, &response);
            Ok(response)
        };
        Box::pin(answer.instrument(span))
    }
}

fn span_of(request: &Request<Body>, service: &'static str) -> Span {
    let path = request.uri().path().trim_start_matches('/');
    let (rpc_service, rpc_method) = path.split_once('/').unwrap_or((path, ""));
    let span = tracing::info_span!(
        "rpc",
        otel.name = path,
        otel.kind = "server",
        kontor.service = service,
        rpc.system = "grpc",
        rpc.service = rpc_service,
        rpc.method = rpc_method,
        rpc.grpc.status_code = Empty,
        otel.status_code = Empty,
        trace_id = Empty,
    );
    propagation::adopt(&span, request.headers());
    span
}

/// A failed unary call has its code in the headers; else the code is in trailers that come later, and it is OK.
fn record(span: &Span, response: &Response<Body>) {
    let code = response.headers().get("grpc-status").map_or(Code::Ok, |value| Code::from_bytes(value.as_bytes()));
    span.record("rpc.grpc.status_code", code as i32);
    if matches!(code, Code::Internal | Code::Unknown | Code::DataLoss | Code::Unavailable | Code::DeadlineExceeded) {
        span.record("otel.status_code", "ERROR");
    }
}
