//! The layers that every request passes, from the outside in: panics caught, traced, bounded in time, admitted, and run
//! to its end.

mod access;
mod deadline;
mod detach;
mod panic;
mod trace;
mod until_refused;

use std::future::Future;
use std::pin::Pin;

use http::{Request, Response};
use tonic::body::Body;

pub(crate) use access::AccessLayer;
pub(crate) use deadline::DeadlineLayer;
pub(crate) use detach::DetachLayer;
pub(crate) use panic::on_panic;
pub(crate) use trace::TraceLayer;

/// What the layers pass on.
pub(crate) type Answer<E> = Pin<Box<dyn Future<Output = Result<Response<Body>, E>> + Send>>;

/// Whether the path belongs to health or reflection, which anyone may call and nobody wants to trace.
pub(crate) fn is_plumbing<B>(request: &Request<B>) -> bool {
    request.uri().path().starts_with("/grpc.")
}
