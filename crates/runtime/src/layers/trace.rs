//! One server span for each call, named as the call, child of the caller's span, with the gRPC code at its end.

use http::{Request, Response};
use tonic::Code;
use tonic::body::Body;
use tracing::field::Empty;
use tracing::{Instrument, Span};

use super::middleware::{Inner, Middleware, Outcome};
use crate::propagation;

/// Makes the server spans of this service.
#[derive(Clone)]
pub(crate) struct Trace {
    pub(crate) service: &'static str,
}

impl Middleware for Trace {
    fn handle<S: Inner>(&self, request: Request<Body>, mut inner: S) -> impl Future<Output = Outcome> + Send + 'static {
        let span = span_of(&request, self.service);
        let response = span.in_scope(|| inner.call(request));
        let recorded = span.clone();
        let response = async move {
            let response = response.await?;
            record(&recorded, &response);
            Ok(response)
        };
        response.instrument(span)
    }
}

fn span_of(request: &Request<Body>, service: &'static str) -> Span {
    let path = request.uri().path().trim_start_matches('/');
    let (rpc_service, rpc_method) = path.split_once('/').unwrap_or((path, ""));
    propagation::adopt(request.headers(), || {
        tracing::info_span!(
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
        )
    })
}

/// A failed unary call has its code in the headers; else the code is in trailers that come later, and it is OK.
fn record(span: &Span, response: &Response<Body>) {
    let code = response.headers().get("grpc-status").map_or(Code::Ok, |value| Code::from_bytes(value.as_bytes()));
    span.record("rpc.grpc.status_code", code as i32);
    if matches!(code, Code::Internal | Code::Unknown | Code::DataLoss | Code::Unavailable | Code::DeadlineExceeded) {
        span.record("otel.status_code", "ERROR");
    }
}
