//! The one adapter between tower and the layers of this server, each of which is one async function.

use std::convert::Infallible;
use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use http::{Request, Response};
use tonic::body::Body;
use tower::{Layer, Service};

/// What a call ends with. Errors are responses, too.
pub(crate) type Outcome = Result<Response<Body>, Infallible>;

/// What lies below a layer, ready for one call.
pub(crate) trait Inner:
    Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

impl<S> Inner for S where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

/// What a layer does with a call.
pub(crate) trait Middleware: Clone + Send + 'static {
    /// Answers the call, by the service below or instead of it.
    fn handle<S: Inner>(&self, request: Request<Body>, inner: S) -> impl Future<Output = Outcome> + Send + 'static;
}

/// The layer of a middleware. Health and reflection pass by it.
#[derive(Clone)]
pub(crate) struct MiddlewareLayer<M>(pub(crate) M);

impl<M: Middleware, S> Layer<S> for MiddlewareLayer<M> {
    type Service = Wrapped<M, S>;

    fn layer(&self, inner: S) -> Wrapped<M, S> {
        Wrapped { middleware: self.0.clone(), inner }
    }
}

#[derive(Clone)]
pub(crate) struct Wrapped<M, S> {
    middleware: M,
    inner: S,
}

impl<M: Middleware, S: Inner> Service<Request<Body>> for Wrapped<M, S> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Outcome>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if is_infrastructure(&request) {
            return Box::pin(self.inner.call(request));
        }
        // The clone that was polled ready goes with the call; a fresh one stays.
        let fresh = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, fresh);
        Box::pin(self.middleware.handle(request, ready))
    }
}

/// Whether the path belongs to health or reflection, which anyone may call and which are not traced.
fn is_infrastructure<B>(request: &Request<B>) -> bool {
    request.uri().path().starts_with("/grpc.")
}
