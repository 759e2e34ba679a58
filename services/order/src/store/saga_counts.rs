//! How many sagas are not finished, and where they stand.

use sqlx::PgConnection;

use super::rows::inconsistent;
use crate::domain::history::Kind;

/// Where an unfinished saga stands. The first that applies counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SagaState {
    /// The last that happened is that an operator was called.
    NeedsAttention,
    /// Left alone until its pause is over: a person at the provider decides, or it could not get on.
    Deferred,
    /// The purchase is completed; a refund is under way.
    Refunding,
    /// The units are taken, so it must be completed.
    Committed,
    Compensating,
    Forward,
}

impl SagaState {
    pub const ALL: [Self; 6] =
        [Self::NeedsAttention, Self::Deferred, Self::Refunding, Self::Committed, Self::Compensating, Self::Forward];

    /// Its name, in metrics and in the statement below.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NeedsAttention => "NEEDS_ATTENTION",
            Self::Deferred => "DEFERRED",
            Self::Refunding => "REFUNDING",
            Self::Committed => "COMMITTED",
            Self::Compensating => "COMPENSATING",
            Self::Forward => "FORWARD",
        }
    }
}

/// The sagas of one state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SagaCount {
    pub state: SagaState,
    pub count: i64,
    /// Since the oldest order was placed, or the oldest refund asked for.
    pub age_seconds: f64,
}

kontor_postgres::from_row! {
    struct CountRow {
        state: String,
        count: i64,
        age_seconds: f64,
    }
}

impl TryFrom<CountRow> for SagaCount {
    type Error = sqlx::Error;

    fn try_from(row: CountRow) -> Result<Self, sqlx::Error> {
        let state = SagaState::ALL.into_iter().find(|state| state.as_str() == row.state);
        let state = state.ok_or_else(|| inconsistent("sagas", "counts", &row.state))?;
        Ok(Self { state, count: row.count, age_seconds: row.age_seconds })
    }
}

/// Counts unfinished sagas by their state. It reads those rows only, by the partial index on their leases, and at most ten thousand.
pub async fn count_unfinished(conn: &mut PgConnection) -> Result<Vec<SagaCount>, sqlx::Error> {
    let rows: Vec<CountRow> = sqlx::query_as(
        "SELECT state, count(*) AS count, greatest(max(age), 0)::float8 AS age_seconds FROM ( \
             SELECT CASE \
                 WHEN (SELECT kind FROM order_history h WHERE h.order_id = s.order_id ORDER BY h.id DESC LIMIT 1) = $1 \
                     THEN 'NEEDS_ATTENTION' \
                 WHEN s.process = '' AND s.lease_until > now() THEN 'DEFERRED' \
                 WHEN o.state <> 'PROCESSING' THEN 'REFUNDING' \
                 WHEN s.committed THEN 'COMMITTED' \
                 WHEN s.rejection IS NOT NULL THEN 'COMPENSATING' \
                 ELSE 'FORWARD' END AS state, \
                 extract(epoch FROM now() - CASE WHEN o.state = 'PROCESSING' THEN o.create_time ELSE ( \
                     SELECT min(r.create_time) FROM refunds r WHERE r.order_id = s.order_id AND r.state = 'PENDING') \
                     END) AS age \
             FROM (SELECT order_id, process, lease_until, committed, rejection FROM sagas \
                 WHERE lease_until IS NOT NULL ORDER BY lease_until LIMIT 10000) AS s \
             JOIN orders o ON o.id = s.order_id) AS unfinished \
         GROUP BY state",
    )
    .bind(Kind::Alerted.word())
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}
