//! Measures how long each call takes and how it ends, by method: `rpc.server.call.duration`.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body::{Body as HttpBody, Frame, SizeHint};
use opentelemetry::KeyValue;
use tonic::body::Body;
use tonic::{Code, Status};

use super::middleware::{Inner, Middleware, Outcome};
use crate::access::Rules;
use crate::fault::code_name;
use crate::metrics;

/// Measures the calls of the methods that have rules; the others count as one, so that no caller can make up names.
#[derive(Clone)]
pub(crate) struct Measure {
    pub(crate) rules: Arc<Rules>,
}

impl Middleware for Measure {
    fn handle<S: Inner>(&self, request: Request<Body>, mut inner: S) -> impl Future<Output = Outcome> + Send + 'static {
        let call = Call::begin(&self.rules, request.uri().path());
        let response = inner.call(request);
        async move {
            let response = response.await?;
            if let Some(code) = code_in(response.headers()) {
                call.end(code);
                return Ok(response);
            }
            // The code comes in the trailers.
            Ok(response.map(|body| Body::new(Measured { body, call })))
        }
    }
}

/// A call that is under way. It is measured when this is dropped: also when its caller has left, or its handler panicked.
struct Call {
    method: KeyValue,
    began: Instant,
    code: Option<Code>,
}

impl Call {
    fn begin(rules: &Rules, path: &str) -> Self {
        let name = rules.method_name(path);
        let name = name.map_or(opentelemetry::Value::from("_OTHER"), |name| name.into());
        Self { method: KeyValue::new("rpc.method", name), began: Instant::now(), code: None }
    }

    fn end(mut self, code: Code) {
        self.code = Some(code);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let lost = if std::thread::panicking() { Code::Internal } else { Code::Cancelled };
        let code = self.code.unwrap_or(lost);
        let (system, status) = (KeyValue::new("rpc.system.name", "grpc"), code_name(code));
        let code_attribute = KeyValue::new("rpc.response.status_code", status);
        if is_failure(code) {
            let error = KeyValue::new("error.type", status);
            metrics::call_ended(&[system, self.method.clone(), code_attribute, error], self.began.elapsed());
        } else {
            metrics::call_ended(&[system, self.method.clone(), code_attribute], self.began.elapsed());
        }
    }
}

/// The answer's body, up to the trailers.
struct Measured {
    body: Body,
    call: Call,
}

impl HttpBody for Measured {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(code) = frame.trailers_ref().and_then(code_in) {
                    self.call.code = Some(code);
                }
            }
            Poll::Ready(Some(Err(status))) => self.call.code = Some(status.code()),
            Poll::Ready(None) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn code_in(headers: &HeaderMap) -> Option<Code> {
    headers.get("grpc-status").map(|value| Code::from_bytes(value.as_bytes()))
}

/// Those that the semantic conventions call errors of a server; the others are the caller's.
fn is_failure(code: Code) -> bool {
    match code {
        Code::Unknown
        | Code::DeadlineExceeded
        | Code::Unimplemented
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss => true,
        Code::Ok
        | Code::Cancelled
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::ResourceExhausted
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unauthenticated => false,
    }
}
