//! Lets a call that has begun run to its end, whatever becomes of its caller. A handler that is dropped in the middle, by a deadline or a
//! closed connection, would leave an order accepted and driven by nobody, or a database connection with a transaction begun.

use std::panic::resume_unwind;
use std::task::{Context, Poll};

use http::{Request, Response};
use tonic::body::Body;
use tower::{Layer, Service};
use tracing::Instrument;

use super::{Answer, is_plumbing};

#[derive(Clone, Default)]
pub(crate) struct DetachLayer;

impl<S> Layer<S> for DetachLayer {
    type Service = Detach<S>;

    fn layer(&self, inner: S) -> Detach<S> {
        Detach(inner)
    }
}

#[derive(Clone)]
pub(crate) struct Detach<S>(S);

impl<S> Service<Request<Body>> for Detach<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Answer<S::Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if is_plumbing(&request) {
            return Box::pin(self.0.call(request));
        }
        let running = tokio::spawn(self.0.call(request).in_current_span());
        Box::pin(async move {
            match running.await.map_err(tokio::task::JoinError::try_into_panic) {
                Ok(answer) => answer,
                Err(Ok(panic)) => resume_unwind(panic),
                // The process ends.
                Err(Err(_)) => std::future::pending().await,
            }
        })
    }
}
