//! Events written in the transaction that makes them true, and read in an order that no reader misses any of.
//!
//! [`crate::Migrations::with_outbox`] makes the tables.
//!
//! # Why events get their position after the commit
//!
//! A reader pages by a number: "what comes after 41?". Were the number taken when the event is written, from a sequence or a clock,
//! then 42 could be committed, and read, before 41, whose transaction takes longer; and 41, once it is there, lies behind the
//! reader for good. Numbers that are taken before the commit can't be paged by.
//!
//! So an event is written without a position, and a sequencer ([`mod@sequence`]) gives positions to events that it can see, which
//! are committed ones. It holds the row `outbox_head` locked from before it looks until its own commit, so there is one at a
//! time, and each sees all that the one before did. The positions of a batch and the new head become visible together. Hence:
//!
//! - Whoever sees position n sees all up to n, and will never see another one among them: a late commit comes at a later position.
//! - Positions are 1, 2, 3, … without gaps: a sequencer that dies before its commit has moved neither events nor head.
//! - The versions of one aggregate are in order, since an event waits for the one before it. That is more than the order of ids:
//!   those are made by the clocks of several processes. Looking at one version below is enough, as versions have no gaps
//!   and each waited in its turn.
//!
//! The price is one `UPDATE` for each event, shared statements for each batch, and up to [`feed`]'s pause until an event is seen.
//!
//! | module | what it does |
//! |---|---|
//! | [`mod@sequence`] | gives positions to what was committed |
//! | [`page`] | reads events by their position |
//! | [`feed`] | one task for a service that sequences, and tells watchers how far it came |
//! | [`watch`] | one reader's way through the events, for as long as it listens |
//! | [`cursor`] | a position as callers see it |

pub mod cursor;
pub mod feed;
pub mod page;
pub mod sequence;
pub mod watch;

use sqlx::PgConnection;
use uuid::Uuid;

pub use cursor::{BadCursor, Cursor};
pub use feed::Feed;
pub use page::OutboxEvent;
pub use sequence::sequence;
pub use watch::{Batch, Start, Watch, WatchError};

/// Something that happened to one aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// Resource name of what changed, such as `orders/0192...`.
    pub aggregate: &'a str,
    /// Counts the aggregate's events without gaps, from 1.
    pub version: i64,
    pub kind: &'a str,
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
