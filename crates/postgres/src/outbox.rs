//! Events written in the transaction that makes them true.
//!
//! Each service's own migration creates the table:
//!
//! ```sql
//! CREATE TABLE outbox_events (
//!     id           uuid        PRIMARY KEY,
//!     aggregate    text        NOT NULL,
//!     version      bigint      NOT NULL,
//!     kind         text        NOT NULL,
//!     payload      bytea       NOT NULL,
//!     trace_parent text,
//!     create_time  timestamptz NOT NULL DEFAULT now(),
//!     UNIQUE (aggregate, version)
//! );
//! ```
//!
//! The unique pair keeps an aggregate's versions from being written twice. There is no sequence
//! number on purpose: commits come out of order, and a reader that pages by a number skips the
//! late ones.

use sqlx::PgConnection;
use uuid::Uuid;

/// Something that happened to one aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// Resource name of what changed, such as `orders/0192...`.
    pub aggregate: &'a str,
    /// Counts the aggregate's events without gaps, from 1.
    pub version: i64,
    /// Full name of the payload's message type.
    pub kind: &'a str,
    /// The message, encoded.
    pub payload: Vec<u8>,
    /// W3C `traceparent` of the request that caused it.
    pub trace_parent: Option<String>,
}

/// Adds an event to the transaction of `conn`, and returns its id, by which consumers know it.
///
/// # Errors
/// A unique violation when the aggregate already has this version: another writer was faster.
pub async fn append(conn: &mut PgConnection, event: &Event<'_>) -> Result<Uuid, sqlx::Error> {
    let id = kontor_types::ids::new_uuid();
    sqlx::query(
        "INSERT INTO outbox_events (id, aggregate, version, kind, payload, trace_parent) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(id)
    .bind(event.aggregate)
    .bind(event.version)
    .bind(event.kind)
    .bind(&event.payload)
    .bind(event.trace_parent.as_deref())
    .execute(conn)
    .await?;
    Ok(id)
}
