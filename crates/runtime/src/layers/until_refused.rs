//! A stream that ends when its caller would be refused, if it called now.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body as HttpBody, Frame};
use tonic::Status;
use tonic::body::Body;

/// How the refusal ends a stream.
#[derive(Clone, Copy)]
pub(super) enum End {
    /// An answer: the caller is told by its trailers.
    Trailers,
    /// A request: the handler that reads it gets an error.
    Error,
}

/// The body of a stream, up to the refusal.
pub(super) struct UntilRefused {
    body: Body,
    end: End,
    refused: Pin<Box<dyn Future<Output = Status> + Send>>,
    is_over: bool,
}

impl UntilRefused {
    pub(super) fn new(body: Body, refused: impl Future<Output = Status> + Send + 'static, end: End) -> Self {
        Self { body, end, refused: Box::pin(refused), is_over: false }
    }
}

fn trailers(status: &Status) -> Result<Frame<Bytes>, Status> {
    let mut trailers = HeaderMap::new();
    status.add_header(&mut trailers).map(|()| Frame::trailers(trailers))
}

impl HttpBody for UntilRefused {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        // First the refusal: a stream that always has more to say must end, too.
        if let Poll::Ready(status) = self.refused.as_mut().poll(cx) {
            self.is_over = true;
            self.body = Body::empty();
            return Poll::Ready(Some(match self.end {
                End::Trailers => trailers(&status),
                End::Error => Err(status),
            }));
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.is_over || self.body.is_end_stream()
    }
}
