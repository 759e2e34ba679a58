//! The table `refunds`.

use chrono::{DateTime, Utc};
use kontor_types::ids::{OrderId, RefundId};
use kontor_types::{Currency, Money};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::rows::{RestockRow, inconsistent};
use crate::domain::refund::{Refund, RefundState, RestockLine};

kontor_postgres::from_row! {
    struct RefundRow {
        id: Uuid,
        state: String,
        amount_minor: i64,
        restock: Json<Vec<RestockRow>>,
        reason: String,
        failure: String,
        create_time: DateTime<Utc>,
        update_time: DateTime<Utc>,
    }
}

impl RefundRow {
    fn into_refund(self, currency: Currency) -> Result<Refund, sqlx::Error> {
        let restock = self.restock.0.into_iter().map(RestockLine::try_from);
        Ok(Refund {
            id: RefundId(self.id),
            state: RefundState::from_word(&self.state)
                .ok_or_else(|| inconsistent("refunds.state", self.id, &self.state))?,
            amount: Money { minor: self.amount_minor, currency },
            restock: restock.collect::<Result<_, _>>()?,
            reason: self.reason,
            failure: self.failure,
            create_time: self.create_time,
            update_time: self.update_time,
        })
    }
}

/// The refunds of an order in the order in which they were asked for, by the database's clock, and in the order's currency.
pub async fn list(conn: &mut PgConnection, order: OrderId, currency: Currency) -> Result<Vec<Refund>, sqlx::Error> {
    let rows: Vec<RefundRow> = sqlx::query_as(
        "SELECT id, state, amount_minor, restock, reason, failure, create_time, update_time FROM refunds \
         WHERE order_id = $1 ORDER BY create_time, id",
    )
    .bind(order.0)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| row.into_refund(currency)).collect()
}

/// Adds a refund that is on its way.
pub async fn insert(
    conn: &mut PgConnection,
    id: RefundId,
    order: OrderId,
    amount: Money,
    (restock, reason): (&[RestockLine], &str),
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO refunds (id, order_id, amount_minor, restock, reason) VALUES ($1, $2, $3, $4, $5)")
        .bind(id.0)
        .bind(order.0)
        .bind(amount.minor)
        .bind(Json(restock.iter().map(RestockRow::from).collect::<Vec<_>>()))
        .bind(reason)
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends a refund. `failure` is empty unless the provider refused.
pub async fn end(conn: &mut PgConnection, id: RefundId, state: RefundState, failure: &str) -> Result<(), sqlx::Error> {
    let result = sqlx::query(
        "UPDATE refunds SET state = $2, failure = $3, update_time = now() WHERE id = $1 AND state = 'PENDING'",
    )
    .bind(id.0)
    .bind(state.word())
    .bind(failure)
    .execute(conn)
    .await?;
    kontor_postgres::ensure_affected(&result, 1)
}
