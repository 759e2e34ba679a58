//! Lets a call that has begun run to its end, whatever becomes of its caller. A handler that is dropped in the middle, by a deadline or a
//! closed connection, would leave an order accepted and driven by nobody, or a database connection with a transaction begun.
//!
//! Since callers can't end their calls, there are only so many at a time; further ones are refused at once, before they wait for anything.
//! Other services have places of their own: a crowd of buyers does not keep an accepted order from going on.

use std::panic::resume_unwind;
use std::sync::Arc;

use http::{Request, Response};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;
use tonic::body::Body;
use tracing::Instrument;

use super::middleware::{Inner, Middleware, Outcome};
use crate::access::{Rule, Rules};
use crate::fault::Fault;

/// Calls at a time of each kind, at most: many more than there are database connections, which is what they wait for.
const CALLS_MAX: usize = 512;

/// Runs calls in tasks of their own.
#[derive(Clone)]
pub(crate) struct Detach {
    rules: Arc<Rules>,
    calls: Arc<Semaphore>,
    internal_calls: Arc<Semaphore>,
    streams: Arc<Semaphore>,
}

impl Detach {
    pub(crate) fn new(rules: Arc<Rules>) -> Self {
        let places = || Arc::new(Semaphore::new(CALLS_MAX));
        Self { rules, calls: places(), internal_calls: places(), streams: places() }
    }

    /// A place for a call of this method; none if all are taken.
    fn place(&self, path: &str) -> Result<OwnedSemaphorePermit, Status> {
        let (kind, places) = match self.rules.get(path) {
            _ if self.rules.streams(path) => ("streams", &self.streams),
            Some(Rule::Internal) => ("internal_calls", &self.internal_calls),
            _ => ("calls", &self.calls),
        };
        let place = Arc::clone(places).try_acquire_owned();
        place.map_err(|_| Fault::overloaded(kind, "too many calls at a time; try again").into())
    }
}

impl Middleware for Detach {
    fn handle<S: Inner>(&self, request: Request<Body>, mut inner: S) -> impl Future<Output = Outcome> + Send + 'static {
        let streams = self.rules.streams(request.uri().path());
        let running = self.place(request.uri().path()).map(|place| {
            let call = inner.call(request);
            let call = async move {
                let response = call.await?;
                // A stream keeps its place to its end.
                Ok(if streams { holding(response, place) } else { response })
            };
            tokio::spawn(call.in_current_span())
        });
        async move {
            let running = match running {
                Ok(running) => running,
                Err(refused) => return Ok(refused.into_http()),
            };
            match running.await.map_err(tokio::task::JoinError::try_into_panic) {
                Ok(response) => response,
                Err(Ok(panic)) => resume_unwind(panic),
                // The process ends.
                Err(Err(_)) => std::future::pending().await,
            }
        }
    }
}

fn holding(response: Response<Body>, place: OwnedSemaphorePermit) -> Response<Body> {
    let hold = move |frame| {
        let _place = &place;
        frame
    };
    response.map(|body| Body::new(body.map_frame(hold)))
}
