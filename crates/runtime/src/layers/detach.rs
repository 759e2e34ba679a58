//! Lets a call that has begun run to its end, whatever becomes of its caller. A handler that is dropped in the middle, by a deadline or a
//! closed connection, would leave an order accepted and driven by nobody, or a database connection with a transaction begun.

use std::panic::resume_unwind;

use http::Request;
use tonic::body::Body;
use tracing::Instrument;

use super::middleware::{Inner, Middleware, Outcome};

/// Runs calls in tasks of their own.
#[derive(Clone)]
pub(crate) struct Detach;

impl Middleware for Detach {
    fn handle<S: Inner>(&self, request: Request<Body>, mut inner: S) -> impl Future<Output = Outcome> + Send + 'static {
        let running = tokio::spawn(inner.call(request).in_current_span());
        async move {
            match running.await.map_err(tokio::task::JoinError::try_into_panic) {
                Ok(response) => response,
                Err(Ok(panic)) => resume_unwind(panic),
                // The process ends.
                Err(Err(_)) => std::future::pending().await,
            }
        }
    }
}
