//! One server span for each request (OpenTelemetry's semantic conventions for HTTP), and the line in the log about a
//! request that failed on our side.

use http::{HeaderMap, Method, StatusCode};
use kontor_runtime::fault::code_name;
use kontor_runtime::propagation;
use tracing::Span;
use tracing::field::Empty;

use crate::problem::Problem;
use crate::route::Route;

/// The span, below the caller's. The path itself stays out of it: the name of a guest's cart is a secret.
pub(crate) fn server_span(method: &Method, route: Option<&Route>, headers: &HeaderMap) -> Span {
    propagation::adopt(headers, || {
        tracing::info_span!(
            "request",
            otel.name = route.map_or_else(|| method.to_string(), |route| format!("{method} {}", route.path)),
            otel.kind = "server",
            otel.status_code = Empty,
            http.request.method = %method,
            http.route = route.map(|route| route.path.as_str()),
            http.response.status_code = Empty,
            rpc.method = route.map(|route| route.method.as_str()),
            request_id = Empty,
            trace_id = Empty,
        )
    })
}

/// Notes the outcome.
pub(crate) fn record(span: &Span, status: StatusCode, request_id: &str) {
    span.record("http.response.status_code", status.as_u16());
    span.record("request_id", request_id);
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}

/// Logs a problem that is not the caller's, in the current span.
pub(crate) fn log(problem: &Problem, request_id: &str) {
    if problem.status.is_server_error() {
        let (code, cause) = (code_name(problem.code), problem.cause.as_deref());
        tracing::warn!(code, reason = problem.reason, cause, request_id, "a request failed");
    }
}
