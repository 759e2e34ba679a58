//! The table `sagas`: who drives which order. All times are the database's.

use std::time::Duration;

use kontor_types::ids::OrderId;
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::rows::RejectionRow;
use crate::domain::order::Rejection;

/// The columns that are read, by name: a statement keeps its shape when a migration adds a column.
macro_rules! columns {
    () => {
        "order_id, epoch, attempts, payment_token, rejection, trace_parent"
    };
}

/// How long a process may drive an order without a sign of life, in seconds.
const LEASE_SECONDS: f64 = 20.0;

/// The right to drive an order, as long as nobody has a later epoch.
#[derive(Clone)]
pub struct Claim {
    /// Which order.
    pub order: OrderId,
    /// Counts who drove it.
    pub epoch: i64,
    /// How often a step had to be tried again, by whomever.
    pub attempts: i32,
    /// What the buyer pays with. A secret.
    pub payment_token: String,
    /// Set once the order is to come to nothing.
    pub rejection: Option<Rejection>,
    /// The trace of the call that placed it.
    pub trace_parent: Option<String>,
}

impl std::fmt::Debug for Claim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Claim({}, epoch {})", self.order, self.epoch)
    }
}

#[derive(FromRow)]
struct SagaRow {
    order_id: Uuid,
    epoch: i64,
    attempts: i32,
    payment_token: String,
    rejection: Option<Json<RejectionRow>>,
    trace_parent: Option<String>,
}

/// Adds the saga of a new order, with a first lease for this process.
pub async fn insert(
    conn: &mut PgConnection,
    order: OrderId,
    payment_token: &str,
    trace_parent: Option<&str>,
) -> Result<Claim, sqlx::Error> {
    let row: SagaRow = sqlx::query_as(concat!(
        "INSERT INTO sagas (order_id, payment_token, trace_parent, lease_until) VALUES ($1, $2, $3, \
             now() + make_interval(secs => $4)) RETURNING ",
        columns!()
    ))
    .bind(order.0)
    .bind(payment_token)
    .bind(trace_parent)
    .bind(LEASE_SECONDS)
    .fetch_one(conn)
    .await?;
    row.try_into()
}

/// Takes over orders whose lease has run out, at most so many. Others' claims are passed over, not waited for.
pub async fn claim_abandoned(conn: &mut PgConnection, limit: i64) -> Result<Vec<Claim>, sqlx::Error> {
    let rows: Vec<SagaRow> = sqlx::query_as(concat!(
        "UPDATE sagas SET epoch = epoch + 1, lease_until = now() + make_interval(secs => $2) WHERE \
             order_id IN (SELECT order_id FROM sagas WHERE lease_until < now() ORDER BY lease_until \
             LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING ",
        columns!()
    ))
    .bind(limit)
    .bind(LEASE_SECONDS)
    .fetch_all(conn)
    .await?;
    // One row that can't be read must not keep the others from being driven.
    let readable =
        |row: SagaRow| Claim::try_from(row).inspect_err(|error| tracing::error!(%error, "a saga is left alone"));
    Ok(rows.into_iter().filter_map(|row| readable(row).ok()).collect())
}

/// Makes the lease run anew, counts an attempt, and tells how many there were. `None` if the order went to another process.
pub async fn renew(conn: &mut PgConnection, claim: &Claim) -> Result<Option<i32>, sqlx::Error> {
    sqlx::query_scalar(
        "UPDATE sagas SET attempts = attempts + 1, lease_until = now() + make_interval(secs => $3) \
         WHERE order_id = $1 AND epoch = $2 RETURNING attempts",
    )
    .bind(claim.order.0)
    .bind(claim.epoch)
    .bind(LEASE_SECONDS)
    .fetch_optional(conn)
    .await
}

/// Lets go of an order, for anyone to take after a pause. Nothing happens if it went to another process.
pub async fn yield_lease(conn: &mut PgConnection, claim: &Claim, pause: Duration) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE sagas SET lease_until = now() + make_interval(secs => $3) WHERE order_id = $1 AND epoch = $2")
        .bind(claim.order.0)
        .bind(claim.epoch)
        .bind(pause.as_secs_f64())
        .execute(conn)
        .await?;
    Ok(())
}

/// Writes down that the order is to come to nothing. False if the order went to another process.
pub async fn set_rejection(conn: &mut PgConnection, claim: &Claim, rejection: &Rejection) -> Result<bool, sqlx::Error> {
    let result = sqlx::query("UPDATE sagas SET rejection = $3 WHERE order_id = $1 AND epoch = $2")
        .bind(claim.order.0)
        .bind(claim.epoch)
        .bind(Json(RejectionRow::from(rejection)))
        .execute(conn)
        .await?;
    Ok(result.rows_affected() == 1)
}

/// Ends the saga. False if the order went to another process: then nothing else may be written either.
pub async fn delete(conn: &mut PgConnection, claim: &Claim) -> Result<bool, sqlx::Error> {
    let result = sqlx::query("DELETE FROM sagas WHERE order_id = $1 AND epoch = $2")
        .bind(claim.order.0)
        .bind(claim.epoch)
        .execute(conn)
        .await?;
    Ok(result.rows_affected() == 1)
}

impl TryFrom<SagaRow> for Claim {
    type Error = sqlx::Error;

    fn try_from(row: SagaRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            order: OrderId(row.order_id),
            epoch: row.epoch,
            attempts: row.attempts,
            payment_token: row.payment_token,
            rejection: row.rejection.map(|rejection| rejection.0.try_into()).transpose()?,
            trace_parent: row.trace_parent,
        })
    }
}
