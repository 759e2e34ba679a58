//! The rest of a body that a refusal has not read. A caller on HTTP/1.1 who is still sending would get a broken connection instead of
//! the answer, so what is left is read and thrown away, up to a bound; beyond it the connection is closed.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http::header::{CONNECTION, EXPECT};
use http::{HeaderMap, HeaderValue, Version};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::time::timeout;

use crate::limits::{REST_BYTES_MAX, REST_TIMEOUT};

/// A body of which a handle stays behind.
#[derive(Clone, Debug)]
pub(crate) struct Shared(Arc<Mutex<Body>>);

impl Shared {
    /// The body for the handler, and the handle.
    pub(crate) fn split(body: Body) -> (Body, Self) {
        let shared = Self(Arc::new(Mutex::new(body)));
        (Body::new(shared.clone()), shared)
    }

    /// Reads what the handler has left, if that is worth it. Tells in the answer's headers if the connection can't go on.
    pub(crate) async fn finish(mut self, request: &Head, answer: &mut HeaderMap) {
        if request.version > Version::HTTP_11 || self.is_end_stream() {
            return;
        }
        // Who waits for "100 Continue" has sent nothing, and should not be asked to.
        let ended = !request.waits && matches!(timeout(REST_TIMEOUT, self.read_on()).await, Ok(true));
        if !ended {
            answer.insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }

    /// Whether the end came within the bound.
    async fn read_on(&mut self) -> bool {
        let mut left = REST_BYTES_MAX;
        while let Some(frame) = self.frame().await {
            let Ok(frame) = frame else { return false };
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                return false;
            }
        }
        true
    }
}

/// What must be known of a request once it has been handled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    version: Version,
    waits: bool,
}

impl Head {
    /// Of a request that is yet to be handled.
    pub(crate) fn of<B>(request: &http::Request<B>) -> Self {
        Self { version: request.version(), waits: request.headers().contains_key(EXPECT) }
    }
}

impl HttpBody for Shared {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Pin::new(&mut *body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).size_hint()
    }
}
