//! An HTTP body as a client stream: read, cut and sent on piece by piece, never held whole.

use std::cmp::min;
use std::sync::Arc;

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use prost::Message;
use prost_reflect::{DynamicMessage, FieldDescriptor, ReflectMessage};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic::metadata::MetadataMap;
use tracing::Instrument;

use crate::http_body::http_body;
use crate::limits::{BODY_TIMEOUT, CALL_TIMEOUT, UPLOAD_BYTES_MAX, UPLOAD_PIECE_BYTES_MAX, UPLOAD_TIMEOUT};
use crate::problem::{Problem, Result};
use crate::route::Route;
use crate::{body, call};

pub(crate) struct Upload {
    pub(crate) field: FieldDescriptor,
    /// The first message, with all that the URL and the headers hold.
    pub(crate) first: DynamicMessage,
    pub(crate) content_type: String,
    pub(crate) body: Body,
}

/// Sends the file and waits for the answer. If the file is too large or breaks off, or the caller goes away, the stream of
/// messages fails and does not end: the service must not take half a file for a whole one. For that the call has a
/// task of its own, which the end of this future does not drop.
pub(crate) async fn send(route: &Arc<Route>, upload: Upload, metadata: MetadataMap) -> Result<Bytes> {
    let caller = CancellationToken::new();
    let _leaves = caller.clone().drop_guard();
    let (failed, mut failure) = oneshot::channel();
    let messages = Pieces::new(upload, caller, failed).into_stream();
    let route = Arc::clone(route);
    // The file's own deadline comes first: at the call's, the stream would be cancelled.
    let limit = UPLOAD_TIMEOUT + CALL_TIMEOUT;
    let call = async move { call::send(&route, messages, metadata, limit).await };
    let answer = tokio::spawn(call.in_current_span()).await;
    match answer.unwrap_or_else(|_| Err(Problem::fault("an upload panicked"))) {
        Err(problem) => Err(failure.try_recv().unwrap_or(problem)),
        answer => answer,
    }
}

struct Pieces {
    /// The message that goes out next, still without its piece.
    next: DynamicMessage,
    field: FieldDescriptor,
    content_type: String,
    body: BodyDataStream,
    deadline: Instant,
    /// Cancelled when the caller goes away.
    caller: CancellationToken,
    rest: Bytes,
    bytes_read: u64,
    is_first: bool,
    /// Tells [`send`] why the stream failed; gone once it has.
    failed: Option<oneshot::Sender<Box<Problem>>>,
}

impl Pieces {
    fn new(upload: Upload, caller: CancellationToken, failed: oneshot::Sender<Box<Problem>>) -> Self {
        Self {
            next: upload.first,
            field: upload.field,
            content_type: upload.content_type,
            body: upload.body.into_data_stream(),
            deadline: Instant::now() + UPLOAD_TIMEOUT,
            caller,
            rest: Bytes::new(),
            bytes_read: 0,
            is_first: true,
            failed: Some(failed),
        }
    }

    fn into_stream(self) -> impl Stream<Item = std::result::Result<Bytes, Status>> + Send + 'static {
        stream::unfold(self, |mut pieces| async move {
            pieces.failed.as_ref()?;
            let message = match pieces.message().await {
                Ok(message) => Ok(message?),
                Err(problem) => Err(pieces.fail(problem)),
            };
            Some((message, pieces))
        })
    }

    /// The next message. An empty file is one message too, for the settings in it.
    async fn message(&mut self) -> Result<Option<Bytes>> {
        if self.rest.is_empty() {
            match self.read().await? {
                Some(bytes) => self.rest = bytes,
                None if self.is_first => {}
                None => return Ok(None),
            }
        }
        let piece = self.rest.split_to(min(self.rest.len(), UPLOAD_PIECE_BYTES_MAX));
        self.next.set_field(&self.field, http_body(&self.field, &self.content_type, piece)?);
        let message = self.next.encode_to_vec().into();
        if self.is_first {
            self.is_first = false;
            self.next = DynamicMessage::new(self.next.descriptor());
            self.content_type.clear();
        }
        Ok(Some(message))
    }

    /// The next bytes of the body that are some.
    async fn read(&mut self) -> Result<Option<Bytes>> {
        loop {
            let limit = min(self.deadline, Instant::now() + BODY_TIMEOUT);
            let read = tokio::select! {
                () = self.caller.cancelled() => return Err(body::broken_off()),
                read = timeout_at(limit, self.body.next()) => read.map_err(|_| body::stalled())?,
            };
            let Some(read) = read else { return Ok(None) };
            let bytes = read.map_err(|_| body::broken_off())?;
            self.bytes_read += bytes.len() as u64;
            if self.bytes_read > UPLOAD_BYTES_MAX {
                return Err(Problem::too_large(UPLOAD_BYTES_MAX));
            }
            if !bytes.is_empty() {
                return Ok(Some(bytes));
            }
        }
    }

    fn fail(&mut self, problem: Box<Problem>) -> Status {
        if let Some(failed) = self.failed.take() {
            let _ = failed.send(problem);
        }
        Status::aborted("the file did not arrive whole")
    }
}
