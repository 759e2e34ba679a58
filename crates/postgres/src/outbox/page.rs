//! Reads events by their position.

use sqlx::PgConnection;
use sqlx::types::chrono::{DateTime, Utc};
use uuid::Uuid;

crate::from_row! {
    /// An event that has its position.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct OutboxEvent {
        /// Where it stands among all events of the service.
        pub position: i64,
        pub id: Uuid,
        pub aggregate: String,
        pub version: i64,
        pub kind: String,
        pub payload: Vec<u8>,
        /// W3C `traceparent` of the request that caused it.
        pub trace_parent: Option<String>,
        pub create_time: DateTime<Utc>,
    }
}

/// The events after a position, in order, at most so many. Their payloads have at most `bytes_max` together, unless the first
/// alone has more: the database leaves the rest out, so that large ones do not come only to be thrown away.
pub async fn list_after(
    conn: &mut PgConnection,
    position: i64,
    count_max: i64,
    bytes_max: i64,
) -> Result<Vec<OutboxEvent>, sqlx::Error> {
    sqlx::query_as(
        "SELECT position, id, aggregate, version, kind, payload, trace_parent, create_time FROM ( \
             SELECT position, id, aggregate, version, kind, payload, trace_parent, create_time, \
                 row_number() OVER w AS nth, sum(octet_length(payload)) OVER w AS bytes FROM ( \
                 SELECT position, id, aggregate, version, kind, payload, trace_parent, create_time \
                 FROM outbox_events WHERE position > $1 ORDER BY position LIMIT $2) AS next \
             WINDOW w AS (ORDER BY position)) AS counted \
         WHERE nth = 1 OR bytes <= $3 ORDER BY position",
    )
    .bind(position)
    .bind(count_max)
    .bind(bytes_max)
    .fetch_all(conn)
    .await
}

/// The last position that was given.
pub async fn head(conn: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT last_position FROM outbox_head WHERE id = 1").fetch_one(conn).await
}
