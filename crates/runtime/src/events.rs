//! Events of a service: appended to its outbox as messages of the contract, and streamed from there by its `WatchEvents`.

use kontor_postgres::outbox::{self, Batch, Event, Feed, OutboxEvent, Start, WatchError};
use prost::{Message, Name};
use sqlx::PgConnection;
use tonic::codegen::BoxStream;
use tonic::{Response, Status};

use crate::fault::{self, Fault};
use crate::propagation;

/// Appends an event to the transaction of `conn`: the aggregate as it is now, and its version, which counts its events from 1.
///
/// # Errors
/// Those of the database; a unique violation when the aggregate has this version already.
pub async fn append<M: Message + Name>(
    conn: &mut PgConnection,
    aggregate: &str,
    version: i64,
    message: &M,
) -> Result<(), sqlx::Error> {
    let (kind, payload) = (M::full_name(), message.encode_to_vec());
    let event = Event { aggregate, version, kind: &kind, payload, trace_parent: propagation::current() };
    outbox::append(conn, &event).await?;
    Ok(())
}

/// Answers `WatchEvents`: streams the events after the cursor. Without a cursor, it begins with the next event or with the oldest.
///
/// # Errors
/// INVALID_ARGUMENT for a cursor that the service never gave out, UNAVAILABLE while it stops or its database is away.
pub async fn watch<T: Send + 'static>(
    feed: &Feed,
    cursor: &str,
    from_newest: bool,
    response: fn(Batch) -> T,
) -> Result<Response<BoxStream<T>>, Status> {
    let start = if from_newest { Start::Newest } else { Start::Oldest };
    let start = Start::from_request(cursor, start).map_err(|error| refused(error.into()))?;
    let watch = feed.watch(start).await.map_err(refused)?;
    Ok(Response::new(Box::pin(watch.into_stream(response, refused))))
}

/// The subject of an event, by the decoder that knows its kind. `None` for what a later version of the service wrote: watchers go on,
/// and learn that there was an event.
pub fn subject<T>(event: &OutboxEvent, decoders: &[fn(&OutboxEvent) -> Option<T>]) -> Option<T> {
    let subject = decoders.iter().find_map(|decode| decode(event));
    if subject.is_none() {
        tracing::warn!(event = %event.id, kind = event.kind, "event of an unknown kind, sent without its subject");
    }
    subject
}

/// The payload of an event, if it is such a message.
pub fn payload<M: Message + Name + Default>(event: &OutboxEvent) -> Option<M> {
    let message = || M::decode(event.payload.as_slice()).ok();
    (event.kind == M::full_name()).then(message).flatten()
}

fn refused(error: WatchError) -> Status {
    match &error {
        WatchError::Cursor(bad) => Fault::field("cursor", bad.to_string()).into(),
        WatchError::Stopping => Fault::unavailable(error.to_string()).into(),
        WatchError::Store(error) => fault::store(error),
    }
}
