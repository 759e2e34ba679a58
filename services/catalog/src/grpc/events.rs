//! `kontor.catalog.v1.CatalogEventService`.

use kontor_postgres::outbox::{Batch, Feed, OutboxEvent};
use kontor_proto::kontor::catalog::v1 as pb;
use kontor_proto::kontor::catalog::v1::catalog_event_service_server::CatalogEventService;
use kontor_runtime::convert::time_to_wire;
use kontor_runtime::events;
use pb::catalog_event::Subject;
use pb::watch_events_request::Start;
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
        let request = request.get_ref();
        let respond =
            |batch: Batch| pb::WatchEventsResponse { events: batch.map(event), cursor: batch.cursor.to_wire() };
        events::watch(&self.0, &request.cursor, request.start() == Start::Newest, respond).await
    }
}

fn event(event: &OutboxEvent) -> pb::CatalogEvent {
    let product = |event: &_| events::payload(event).map(Subject::Product);
    let reservation = |event: &_| events::payload(event).map(Subject::Reservation);
    pb::CatalogEvent {
        id: event.id.to_string(),
        version: event.version,
        create_time: Some(time_to_wire(event.create_time)),
        trace_parent: event.trace_parent.clone().unwrap_or_default(),
        subject: events::subject(event, &[product, reservation]),
    }
}
