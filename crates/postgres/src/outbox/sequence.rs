//! Gives positions to events whose transactions have committed. Why, is told in [`super`].

use sqlx::PgConnection;

use crate::{Pool, retry};

/// What a turn of the sequencer came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The last position that was given, by this turn or an earlier one.
    pub head: i64,
    pub given: i64,
    /// Whether events were left that the next turn can place.
    pub more: bool,
}

/// Gives the next positions to at most `limit` events, in one transaction. An outbox without new events is only read, and so is
/// one that another process is sequencing right now.
///
/// # Errors
/// When the database refuses or can't be reached; nothing was done then, or all of it.
pub async fn sequence(pool: &Pool, limit: i64) -> Result<Turn, sqlx::Error> {
    let seen = look(&mut *pool.acquire().await?).await?;
    let idle = Turn { head: seen.head, given: 0, more: false };
    if !seen.waiting {
        return Ok(idle);
    }
    Ok(retry("sequence", || sequence_once(pool, limit)).await?.unwrap_or(idle))
}

/// `None` if another process is at it.
async fn sequence_once(pool: &Pool, limit: i64) -> Result<Option<Turn>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    // A statement of its own: what the next one sees must include all that the last holder of the lock did.
    if !lock_head(&mut tx).await? {
        return Ok(None);
    }
    let given = give(&mut tx, limit).await?;
    tx.commit().await?;
    let more = given.given > 0 && given.waiting > given.given;
    Ok(Some(Turn { head: given.head, given: given.given, more }))
}

crate::from_row! {
    struct LookRow {
        head: i64,
        waiting: bool,
    }
}

async fn look(conn: &mut PgConnection) -> Result<LookRow, sqlx::Error> {
    sqlx::query_as(
        "SELECT last_position AS head, EXISTS (SELECT 1 FROM outbox_events WHERE position IS NULL) AS waiting \
         FROM outbox_head WHERE id = 1",
    )
    .fetch_one(conn)
    .await
}

crate::from_row! {
    /// What waits for its position.
    pub(super) struct Backlog {
        pub(super) pending: i64,
        /// The age of the first event; 0 without one.
        pub(super) lag_seconds: f64,
    }
}

/// Counts the events that have no position, by the partial index. The count ends at ten thousand, so that it stays cheap when the
/// sequencer is far behind; events come in the order of their ids, so that the oldest is among them.
pub(super) async fn backlog(pool: &Pool) -> Result<Backlog, sqlx::Error> {
    sqlx::query_as(
        "SELECT count(*) AS pending, \
             coalesce(greatest(extract(epoch FROM now() - min(create_time)), 0), 0)::float8 AS lag_seconds \
         FROM (SELECT create_time FROM outbox_events WHERE position IS NULL ORDER BY id LIMIT 10000) AS waiting",
    )
    .fetch_one(&mut *pool.acquire().await?)
    .await
}

async fn lock_head(conn: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let locked: Option<i32> = sqlx::query_scalar("SELECT id FROM outbox_head WHERE id = 1 FOR UPDATE SKIP LOCKED")
        .fetch_optional(conn)
        .await?;
    Ok(locked.is_some())
}

crate::from_row! {
    struct GivenRow {
        head: i64,
        given: i64,
        /// How many events had no position before, counted to one more than the limit.
        waiting: i64,
    }
}

/// Places events and moves the head. The lock must be held. The version below is looked up for one event after the other on
/// purpose: as a join, it would be made with all events that wait, however few are taken.
async fn give(conn: &mut PgConnection, limit: i64) -> Result<GivenRow, sqlx::Error> {
    sqlx::query_as(
        "WITH ready AS ( \
             SELECT id, row_number() OVER (ORDER BY id) AS nth FROM ( \
                 SELECT e.id FROM outbox_events e WHERE e.position IS NULL AND ( \
                     SELECT b.position IS NULL FROM outbox_events b \
                     WHERE b.aggregate = e.aggregate AND b.version = e.version - 1) IS NOT TRUE \
                 ORDER BY e.id LIMIT $1) AS first \
         ), given AS ( \
             UPDATE outbox_events e SET position = h.last_position + r.nth FROM ready r, outbox_head h \
             WHERE e.id = r.id AND h.id = 1 RETURNING e.id \
         ) \
         UPDATE outbox_head SET last_position = last_position + (SELECT count(*) FROM given) WHERE id = 1 \
         RETURNING last_position AS head, (SELECT count(*) FROM given) AS given, (SELECT count(*) FROM ( \
             SELECT 1 FROM outbox_events WHERE position IS NULL LIMIT $1 + 1) AS w) AS waiting",
    )
    .bind(limit)
    .fetch_one(conn)
    .await
}
