//! `kontor.catalog.v1.CatalogEventService`.

use kontor_postgres::outbox::{Batch, Feed, Recorded, Start, WatchError};
use kontor_proto::kontor::catalog::v1 as pb;
use kontor_proto::kontor::catalog::v1::catalog_event_service_server::CatalogEventService;
use kontor_runtime::convert::time_to_wire;
use kontor_runtime::{Fault, fault};
use pb::catalog_event::Subject;
use prost::{Message, Name};
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status};

pub(super) struct EventApi(pub(super) Feed);

#[tonic::async_trait]
impl CatalogEventService for EventApi {
    type WatchEventsStream = BoxStream<pb::WatchEventsResponse>;

    async fn watch_events(
        &self,
        request: Request<pb::WatchEventsRequest>,
    ) -> Result<Response<Self::WatchEventsStream>, Status> {
        let request = request.into_inner();
        let start = Start::from_request(&request.cursor, otherwise(request.start()));
        let watch = self.0.watch(start.map_err(|error| refused(error.into()))?).await.map_err(refused)?;
        Ok(Response::new(Box::pin(watch.into_stream(message, refused))))
    }
}

fn otherwise(start: pb::watch_events_request::Start) -> Start {
    use pb::watch_events_request::Start as Wire;
    match start {
        Wire::Unspecified | Wire::Oldest => Start::Oldest,
        Wire::Newest => Start::Newest,
    }
}

fn message(batch: Batch) -> pb::WatchEventsResponse {
    let events = batch.events.into_iter().map(event).collect();
    pb::WatchEventsResponse { events, cursor: batch.cursor.to_wire() }
}

fn event(recorded: Recorded) -> pb::CatalogEvent {
    let subject = subject(&recorded);
    pb::CatalogEvent {
        id: recorded.id.to_string(),
        version: recorded.version,
        create_time: Some(time_to_wire(recorded.create_time)),
        trace_parent: recorded.trace_parent.unwrap_or_default(),
        subject,
    }
}

/// None for what a later version of this service wrote: its readers are to go on, and must not miss that there was something.
fn subject(recorded: &Recorded) -> Option<Subject> {
    let payload = recorded.payload.as_slice();
    let decoded = match recorded.kind.rsplit_once('.') {
        Some((pb::Product::PACKAGE, pb::Product::NAME)) => pb::Product::decode(payload).map(Subject::Product).ok(),
        Some((pb::Reservation::PACKAGE, pb::Reservation::NAME)) => {
            pb::Reservation::decode(payload).map(Subject::Reservation).ok()
        }
        Some(_) | None => None,
    };
    if decoded.is_none() {
        tracing::warn!(event = %recorded.id, kind = recorded.kind, "an event of an unknown kind is sent without its subject");
    }
    decoded
}

fn refused(error: WatchError) -> Status {
    match &error {
        WatchError::Cursor(bad) => Fault::field("cursor", bad.to_string()).into(),
        WatchError::Stopping => Fault::unavailable(error.to_string()).into(),
        WatchError::Outage(_) => fault::unavailable(&error),
        WatchError::Database(_) => fault::internal(&error),
    }
}
