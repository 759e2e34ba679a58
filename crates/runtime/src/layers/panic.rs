//! A panic in a handler reaches the caller as INTERNAL, not as a broken connection.

use std::any::Any;

use http::Response;
use tonic::body::Body;

use crate::fault;

#[derive(Debug, thiserror::Error)]
#[error("a handler panicked")]
struct Panicked;

/// The answer after a panic. The panic hook has logged what happened.
pub(crate) fn on_panic(_: Box<dyn Any + Send>) -> Response<Body> {
    fault::internal(&Panicked).into_http()
}
