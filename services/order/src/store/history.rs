//! The table `order_history`.

use chrono::{DateTime, Utc};
use kontor_types::ids::{OrderId, RefundId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::rows::inconsistent;
use crate::domain::history::{Entry, Kind, Recorded};

kontor_postgres::from_row! {
    struct EntryRow {
        id: Uuid,
        refund_id: Option<Uuid>,
        epoch: i64,
        process: String,
        kind: String,
        step: String,
        attempt: i32,
        outcome: String,
        message: String,
        create_time: DateTime<Utc>,
    }
}

impl TryFrom<EntryRow> for Recorded {
    type Error = sqlx::Error;

    fn try_from(row: EntryRow) -> Result<Self, sqlx::Error> {
        let kind = Kind::from_word(&row.kind);
        let entry = Entry {
            id: row.id,
            time: row.create_time,
            kind: kind.ok_or_else(|| inconsistent("order_history.kind", row.id, &row.kind))?,
            step: row.step,
            attempt: row.attempt,
            outcome: row.outcome,
            message: row.message,
            refund: row.refund_id.map(RefundId),
        };
        Ok(Self { entry, process: row.process, epoch: row.epoch })
    }
}

/// Adds what a process did to an order, in one epoch. What is there already, by a commit whose acknowledgement was lost, stays.
pub async fn insert(
    conn: &mut PgConnection,
    order: OrderId,
    (process, epoch): (&str, i64),
    entries: &[Entry],
) -> Result<(), sqlx::Error> {
    if entries.is_empty() {
        return Ok(());
    }
    let column = |of: fn(&Entry) -> &str| entries.iter().map(of).collect::<Vec<&str>>();
    sqlx::query(
        "INSERT INTO order_history (order_id, epoch, process, id, refund_id, kind, step, attempt, outcome, message, \
         create_time) SELECT $1, $2, $3, w.* FROM unnest($4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::int[], \
         $9::text[], $10::text[], $11::timestamptz[]) AS w ON CONFLICT (id) DO NOTHING",
    )
    .bind(order.0)
    .bind(epoch)
    .bind(process)
    .bind(entries.iter().map(|entry| entry.id).collect::<Vec<_>>())
    .bind(entries.iter().map(|entry| entry.refund.map(|refund| refund.0)).collect::<Vec<_>>())
    .bind(column(|entry| entry.kind.word()))
    .bind(column(|entry| &entry.step))
    .bind(entries.iter().map(|entry| entry.attempt).collect::<Vec<_>>())
    .bind(column(|entry| &entry.outcome))
    .bind(column(|entry| &entry.message))
    .bind(entries.iter().map(|entry| entry.time).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    Ok(())
}

/// What happened to an order after an entry, oldest first, at most so much.
pub async fn list(
    conn: &mut PgConnection,
    order: OrderId,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Recorded>, sqlx::Error> {
    let rows: Vec<EntryRow> = sqlx::query_as(
        "SELECT id, refund_id, epoch, process, kind, step, attempt, outcome, message, create_time FROM order_history \
         WHERE order_id = $1 AND id > $2 ORDER BY id LIMIT $3",
    )
    .bind(order.0)
    .bind(after.unwrap_or_default())
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Recorded::try_from).collect()
}
