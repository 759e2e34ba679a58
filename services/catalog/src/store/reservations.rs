//! The table `reservations`.

use std::time::Duration;

use chrono::{DateTime, Utc};
use kontor_types::ids::{OrderId, ProductId, VariantName};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::domain::inventory::{Line, Shortage};
use crate::domain::reservation::{Reservation, ReservationState, Verdict};

/// The columns that are read, by name: a statement keeps its shape when a migration adds a column.
macro_rules! columns {
    () => {
        "order_id, state, product_ids, variant_ids, quantities, shortages, expire_time, returned, version"
    };
}

kontor_postgres::from_row! {
    struct ReservationRow {
        order_id: Uuid,
        state: String,
        product_ids: Vec<Uuid>,
        variant_ids: Vec<Uuid>,
        quantities: Vec<i32>,
        shortages: Json<Vec<ShortageRow>>,
        expire_time: Option<DateTime<Utc>>,
        returned: Vec<i32>,
        version: i64,
    }
}

#[derive(Serialize, Deserialize)]
struct ShortageRow {
    variant: Uuid,
    sku: Option<String>,
    available: i64,
}

impl TryFrom<ReservationRow> for Reservation {
    type Error = sqlx::Error;

    fn try_from(row: ReservationRow) -> Result<Self, sqlx::Error> {
        let ids = row.product_ids.into_iter().zip(row.variant_ids);
        let lines: Vec<Line> = ids
            .zip(row.quantities)
            .map(|((product, id), quantity)| Line {
                variant: VariantName { product: ProductId(product), id },
                quantity,
            })
            .collect();
        let shortages = row.shortages.0.into_iter().filter_map(|shortage| {
            let line = lines.iter().find(|line| line.variant.id == shortage.variant)?;
            Some(Shortage { line: *line, sku: shortage.sku, available: shortage.available })
        });
        Ok(Self {
            order: OrderId(row.order_id),
            state: state_from(&row.state, row.order_id)?,
            shortages: shortages.collect(),
            // Written only when something comes back.
            returned: if row.returned.is_empty() { vec![0; lines.len()] } else { row.returned },
            lines,
            expire_time: row.expire_time,
            version: row.version,
        })
    }
}

/// What an order has reserved.
pub async fn find(conn: &mut PgConnection, order: OrderId) -> Result<Option<Reservation>, sqlx::Error> {
    let row: Option<ReservationRow> =
        sqlx::query_as(concat!("SELECT ", columns!(), " FROM reservations WHERE order_id = $1"))
            .bind(order.0)
            .fetch_optional(conn)
            .await?;
    row.map(Reservation::try_from).transpose()
}

/// Like [`find`], and nobody else changes it until the transaction ends.
pub async fn lock(conn: &mut PgConnection, order: OrderId) -> Result<Option<Reservation>, sqlx::Error> {
    let row: Option<ReservationRow> =
        sqlx::query_as(concat!("SELECT ", columns!(), " FROM reservations WHERE order_id = $1 FOR UPDATE"))
            .bind(order.0)
            .fetch_optional(conn)
            .await?;
    row.map(Reservation::try_from).transpose()
}

/// Locks reservations whose hold has expired, the longest expired first; those that somebody else has locked are left out.
pub async fn lock_expired(conn: &mut PgConnection, limit: i64) -> Result<Vec<Reservation>, sqlx::Error> {
    let rows: Vec<ReservationRow> = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM reservations WHERE state = 'HELD' AND expire_time <= now() ORDER BY expire_time LIMIT $1 \
             FOR UPDATE SKIP LOCKED"
    ))
    .bind(limit)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Reservation::try_from).collect()
}

/// Writes down what an order asked for and what came of it. `None` if the order has a row already.
pub async fn insert(
    conn: &mut PgConnection,
    order: OrderId,
    lines: &[Line],
    verdict: &Verdict,
    hold: Duration,
) -> Result<Option<Reservation>, sqlx::Error> {
    let products: Vec<Uuid> = lines.iter().map(|line| line.variant.product.0).collect();
    let (variants, quantities) = super::stock::columns(lines);
    let row: Option<ReservationRow> = sqlx::query_as(concat!(
        "INSERT INTO reservations (order_id, state, product_ids, variant_ids, quantities, shortages, \
             expire_time) VALUES ($1, $2, $3, $4, $5, $6, CASE WHEN $2 = 'HELD' THEN now() + \
             make_interval(secs => $7) END) ON CONFLICT DO NOTHING RETURNING ",
        columns!()
    ))
    .bind(order.0)
    .bind(state_text(verdict.state))
    .bind(&products)
    .bind(&variants)
    .bind(&quantities)
    .bind(shortage_rows(verdict))
    .bind(hold.as_secs_f64())
    .fetch_optional(conn)
    .await?;
    row.map(Reservation::try_from).transpose()
}

/// Writes down what came of taking the lines of a locked reservation up again.
pub async fn set_verdict(
    conn: &mut PgConnection,
    order: OrderId,
    verdict: &Verdict,
    hold: Duration,
) -> Result<Reservation, sqlx::Error> {
    let row: ReservationRow = sqlx::query_as(concat!(
        "UPDATE reservations SET state = $2, shortages = $3, expire_time = CASE WHEN $2 = 'HELD' THEN now() + \
             make_interval(secs => $4) END, version = version + 1, update_time = now() WHERE order_id = $1 RETURNING ",
        columns!()
    ))
    .bind(order.0)
    .bind(state_text(verdict.state))
    .bind(shortage_rows(verdict))
    .bind(hold.as_secs_f64())
    .fetch_one(conn)
    .await?;
    row.try_into()
}

/// Holds the units of a locked reservation for longer, if less than half of the time is left; otherwise `None`.
pub async fn renew(
    conn: &mut PgConnection,
    order: OrderId,
    hold: Duration,
) -> Result<Option<Reservation>, sqlx::Error> {
    let row: Option<ReservationRow> = sqlx::query_as(concat!(
        "UPDATE reservations SET expire_time = now() + make_interval(secs => $2), update_time = now() \
             WHERE order_id = $1 AND expire_time < now() + make_interval(secs => $2) / 2 RETURNING ",
        columns!()
    ))
    .bind(order.0)
    .bind(hold.as_secs_f64())
    .fetch_optional(conn)
    .await?;
    row.map(Reservation::try_from).transpose()
}

/// Moves a locked reservation to its end.
pub async fn set_state(
    conn: &mut PgConnection,
    order: OrderId,
    state: ReservationState,
) -> Result<Reservation, sqlx::Error> {
    let row: ReservationRow = sqlx::query_as(concat!(
        "UPDATE reservations SET state = $2, expire_time = NULL, version = version + 1, update_time = now() \
             WHERE order_id = $1 RETURNING ",
        columns!()
    ))
    .bind(order.0)
    .bind(state_text(state))
    .fetch_one(conn)
    .await?;
    row.try_into()
}

/// Marks locked reservations as expired.
pub async fn set_expired(conn: &mut PgConnection, orders: &[Uuid]) -> Result<Vec<Reservation>, sqlx::Error> {
    let rows: Vec<ReservationRow> = sqlx::query_as(concat!(
        "UPDATE reservations SET state = 'EXPIRED', expire_time = NULL, version = version + 1, update_time = now() \
             WHERE order_id = ANY($1) RETURNING ",
        columns!()
    ))
    .bind(orders)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Reservation::try_from).collect()
}

/// Writes down how many units of each line of a locked reservation came back.
pub async fn set_returned(
    conn: &mut PgConnection,
    order: OrderId,
    returned: &[i32],
) -> Result<Reservation, sqlx::Error> {
    let row: ReservationRow = sqlx::query_as(concat!(
        "UPDATE reservations SET returned = $2, version = greatest(version, 2) + 1, update_time = now() WHERE order_id = $1 RETURNING ",
        columns!()
    ))
    .bind(order.0)
    .bind(returned)
    .fetch_one(conn)
    .await?;
    row.try_into()
}

fn shortage_rows(verdict: &Verdict) -> Json<Vec<ShortageRow>> {
    Json(verdict.shortages.iter().map(shortage_row).collect())
}

fn shortage_row(shortage: &Shortage) -> ShortageRow {
    ShortageRow { variant: shortage.line.variant.id, sku: shortage.sku.clone(), available: shortage.available }
}

fn state_text(state: ReservationState) -> &'static str {
    match state {
        ReservationState::Held => "HELD",
        ReservationState::Confirmed => "CONFIRMED",
        ReservationState::Released => "RELEASED",
        ReservationState::Refused => "REFUSED",
        ReservationState::Expired => "EXPIRED",
    }
}

fn state_from(text: &str, order: Uuid) -> Result<ReservationState, sqlx::Error> {
    match text {
        "HELD" => Ok(ReservationState::Held),
        "CONFIRMED" => Ok(ReservationState::Confirmed),
        "RELEASED" => Ok(ReservationState::Released),
        "REFUSED" => Ok(ReservationState::Refused),
        "EXPIRED" => Ok(ReservationState::Expired),
        other => Err(sqlx::Error::Decode(format!("reservations.state of {order} is {other:?}").into())),
    }
}
