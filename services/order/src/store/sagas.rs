//! The table `sagas`: who drives which order. All times are the database's.

use std::time::Duration;

use kontor_types::ids::OrderId;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{FromRow, PgConnection, Row};
use uuid::Uuid;

use super::fence::fenced;
use super::rows::ReasonRow;
use crate::domain::saga::{Course, Reason};

/// The columns that are read, by name: a statement keeps its shape when a migration adds a column.
macro_rules! columns {
    () => {
        "sagas.order_id, sagas.epoch, sagas.attempts, sagas.payment_token, sagas.rejection, sagas.committed, \
         sagas.trace_parent, sagas.deadline < now() IS TRUE AS overdue"
    };
}

/// The process that drives orders, and how long a lease lasts without being renewed.
#[derive(Clone, Debug)]
pub struct Lease {
    pub process: String,
    pub length: Duration,
}

/// The right to drive an order, as long as nobody has a later epoch.
#[derive(Clone)]
pub struct Claim {
    pub order: OrderId,
    pub epoch: i64,
    /// How often a step had to be tried again, by whomever.
    pub attempts: i32,
    /// What the buyer pays with. A secret.
    pub payment_token: String,
    pub course: Course,
    /// Whether it should have been settled by now.
    pub overdue: bool,
    /// The trace of the call that placed it.
    pub trace_parent: Option<String>,
}

impl std::fmt::Debug for Claim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Claim({}, epoch {})", self.order, self.epoch)
    }
}

kontor_postgres::from_row! {
    struct SagaRow {
        order_id: Uuid,
        epoch: i64,
        attempts: i32,
        payment_token: String,
        rejection: Option<Json<ReasonRow>>,
        committed: bool,
        trace_parent: Option<String>,
        overdue: bool,
    }
}

impl TryFrom<SagaRow> for Claim {
    type Error = sqlx::Error;

    fn try_from(row: SagaRow) -> Result<Self, sqlx::Error> {
        let back = row.rejection.map(|reason| Reason::try_from(reason.0)).transpose()?;
        let course = match (row.committed, back) {
            (true, _) => Course::Committed,
            (false, Some(reason)) => Course::Back(reason),
            (false, None) => Course::Forward,
        };
        Ok(Self {
            order: OrderId(row.order_id),
            epoch: row.epoch,
            attempts: row.attempts,
            payment_token: row.payment_token,
            course,
            overdue: row.overdue,
            trace_parent: row.trace_parent,
        })
    }
}

/// What the saga of a new order holds. Not to be shown: it holds a secret.
pub struct NewSaga<'a> {
    pub order: OrderId,
    pub payment_token: &'a str,
    /// The trace of the call that places it.
    pub trace_parent: Option<&'a str>,
    /// How long it may take to be settled.
    pub time_max: Duration,
}

/// Adds the saga of a new order, with a first lease for this process.
pub async fn insert(conn: &mut PgConnection, lease: &Lease, new: &NewSaga<'_>) -> Result<Claim, sqlx::Error> {
    let row: SagaRow = sqlx::query_as(concat!(
        "INSERT INTO sagas (order_id, payment_token, trace_parent, lease_until, process, deadline) VALUES ($1, $2, $3, \
             now() + make_interval(secs => $4), $5, now() + make_interval(secs => $6)) RETURNING ",
        columns!()
    ))
    .bind(new.order.0)
    .bind(new.payment_token)
    .bind(new.trace_parent)
    .bind(lease.length.as_secs_f64())
    .bind(&lease.process)
    .bind(new.time_max.as_secs_f64())
    .fetch_one(conn)
    .await?;
    row.try_into()
}

/// A claim that was another process's before.
#[derive(Debug)]
pub struct ExpiredLease {
    pub claim: Claim,
    /// The process whose lease ran out; empty if it gave the order up in good order.
    pub previous: String,
}

/// Takes over orders whose lease has run out, at most so many. Others' claims are passed over, not waited for.
pub async fn claim_expired(
    conn: &mut PgConnection,
    lease: &Lease,
    limit: i64,
) -> Result<Vec<ExpiredLease>, sqlx::Error> {
    let rows = sqlx::query(concat!(
        "WITH due AS (SELECT order_id, process AS previous FROM sagas WHERE lease_until < now() ORDER BY lease_until \
             LIMIT $1 FOR UPDATE SKIP LOCKED) UPDATE sagas SET epoch = epoch + 1, lease_until = now() + \
             make_interval(secs => $2), process = $3 FROM due WHERE sagas.order_id = due.order_id \
             RETURNING due.previous, ",
        columns!()
    ))
    .bind(limit)
    .bind(lease.length.as_secs_f64())
    .bind(&lease.process)
    .fetch_all(conn)
    .await?;
    // One row that can't be read must not keep the others from being driven.
    let readable =
        |row| expired_lease(row).inspect_err(|error| tracing::error!(%error, "unreadable saga left alone")).ok();
    Ok(rows.iter().filter_map(readable).collect())
}

fn expired_lease(row: &PgRow) -> Result<ExpiredLease, sqlx::Error> {
    Ok(ExpiredLease { claim: SagaRow::from_row(row)?.try_into()?, previous: row.try_get("previous")? })
}

/// Makes the lease run anew, and notes how often steps had to be tried again. False if the order went to another process.
pub async fn renew(conn: &mut PgConnection, claim: &Claim, lease: &Lease) -> Result<bool, sqlx::Error> {
    let result = sqlx::query(concat!(
        "UPDATE sagas SET attempts = $3, lease_until = now() + make_interval(secs => $4) WHERE ",
        fenced!()
    ))
    .bind(claim.order.0)
    .bind(claim.epoch)
    .bind(claim.attempts)
    .bind(lease.length.as_secs_f64())
    .execute(conn)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Lets go of an order, for anyone to take after a pause. False if it went to another process.
pub async fn give_up(conn: &mut PgConnection, claim: &Claim, pause: Duration) -> Result<bool, sqlx::Error> {
    let result = sqlx::query(concat!(
        "UPDATE sagas SET attempts = $3, lease_until = now() + make_interval(secs => $4), process = '' WHERE ",
        fenced!()
    ))
    .bind(claim.order.0)
    .bind(claim.epoch)
    .bind(claim.attempts)
    .bind(pause.as_secs_f64())
    .execute(conn)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Writes down where the purchase is headed. False if the order went to another process.
pub async fn steer(conn: &mut PgConnection, claim: &Claim, course: &Course) -> Result<bool, sqlx::Error> {
    let back = match course {
        Course::Back(reason) => Some(Json(ReasonRow::from(reason))),
        Course::Forward | Course::Committed => None,
    };
    let result = sqlx::query(concat!("UPDATE sagas SET rejection = $3, committed = $4 WHERE ", fenced!()))
        .bind(claim.order.0)
        .bind(claim.epoch)
        .bind(back)
        .bind(*course == Course::Committed)
        .execute(conn)
        .await?;
    Ok(result.rows_affected() == 1)
}

/// Lays the saga to rest: nothing is to be done, and what the buyer pays with is forgotten. False if the order went to another process.
pub async fn rest(conn: &mut PgConnection, claim: &Claim) -> Result<bool, sqlx::Error> {
    let result = sqlx::query(concat!(
        "UPDATE sagas SET lease_until = NULL, payment_token = '', process = '', attempts = 0, deadline = NULL WHERE ",
        fenced!()
    ))
    .bind(claim.order.0)
    .bind(claim.epoch)
    .execute(conn)
    .await?;
    Ok(result.rows_affected() == 1)
}

/// Makes sure that the order is still the claim's until the transaction ends. False if it went to another process.
pub async fn hold(conn: &mut PgConnection, claim: &Claim) -> Result<bool, sqlx::Error> {
    let row: Option<Uuid> = sqlx::query_scalar(concat!("SELECT order_id FROM sagas WHERE ", fenced!(), " FOR UPDATE"))
        .bind(claim.order.0)
        .bind(claim.epoch)
        .fetch_optional(conn)
        .await?;
    Ok(row.is_some())
}

/// Adds a saga at rest for an order that has none: one that ended before sagas were kept. Its epoch is beyond any that it had then.
pub async fn insert_missing(conn: &mut PgConnection, order: OrderId) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO sagas (order_id, payment_token, lease_until, epoch) SELECT id, '', NULL, 1000000 FROM orders \
         WHERE id = $1 AND state <> 'PROCESSING' ON CONFLICT DO NOTHING",
    )
    .bind(order.0)
    .execute(conn)
    .await?;
    Ok(())
}

/// An order's saga, whoever drives it.
#[derive(Debug)]
pub struct Saga {
    pub course: Course,
    /// Whether nobody drives it, since there is nothing to do.
    pub at_rest: bool,
    pub epoch: i64,
}

/// The saga of an order; nobody else writes about the order until the transaction ends.
pub async fn lock(conn: &mut PgConnection, order: OrderId) -> Result<Option<Saga>, sqlx::Error> {
    let row = sqlx::query(concat!(
        "SELECT lease_until IS NULL AS at_rest, ",
        columns!(),
        " FROM sagas WHERE order_id = $1 FOR UPDATE"
    ))
    .bind(order.0)
    .fetch_optional(conn)
    .await?;
    let saga = |row: PgRow| {
        let claim = Claim::try_from(SagaRow::from_row(&row)?)?;
        Ok(Saga { course: claim.course, at_rest: row.try_get("at_rest")?, epoch: claim.epoch })
    };
    row.map(saga).transpose()
}

/// Takes a locked saga, whoever had it.
pub async fn take(conn: &mut PgConnection, order: OrderId, lease: &Lease) -> Result<Claim, sqlx::Error> {
    let row: SagaRow = sqlx::query_as(concat!(
        "UPDATE sagas SET epoch = epoch + 1, lease_until = now() + make_interval(secs => $2), process = $3 \
             WHERE order_id = $1 RETURNING ",
        columns!()
    ))
    .bind(order.0)
    .bind(lease.length.as_secs_f64())
    .bind(&lease.process)
    .fetch_one(conn)
    .await?;
    row.try_into()
}
