//! The table `orders`.

use chrono::{DateTime, Utc};
use kontor_types::ids::{OrderId, UserId};
use kontor_types::{Currency, Money};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::fence::unended;
use super::rows::{AddressRow, LineRow, RejectionRow, inconsistent};
use crate::domain::cart::CartId;
use crate::domain::order::{Cancellation, Order, OrderNumber, PaymentState, Rejection, Snapshot, State};

/// The columns that are read, by name: a statement keeps its shape when a migration adds a column.
macro_rules! columns {
    () => {
        "id, number, state, cart_id, user_id, email, shipping_address, currency, lines, total_minor, \
         captured_minor, refunded_minor, payment_state, rejection, cancel_time, cancel_reason, version, create_time, update_time"
    };
}

kontor_postgres::from_row! {
    struct OrderRow {
        id: Uuid,
        number: String,
        state: String,
        cart_id: String,
        user_id: Option<Uuid>,
        email: String,
        shipping_address: Option<Json<AddressRow>>,
        currency: String,
        lines: Json<Vec<LineRow>>,
        total_minor: i64,
        captured_minor: i64,
        refunded_minor: i64,
        payment_state: String,
        rejection: Option<Json<RejectionRow>>,
        cancel_time: Option<DateTime<Utc>>,
        cancel_reason: String,
        version: i64,
        create_time: DateTime<Utc>,
        update_time: DateTime<Utc>,
    }
}

impl TryFrom<OrderRow> for Order {
    type Error = sqlx::Error;

    fn try_from(row: OrderRow) -> Result<Self, sqlx::Error> {
        let id = row.id;
        let currency = Currency::from_code(&row.currency).map_err(|e| inconsistent("orders.currency", id, e))?;
        let cart = CartId::from_name(&format!("carts/{}", row.cart_id));
        let lines = row.lines.0.into_iter().map(|line| line.into_line(currency));
        let snapshot = Snapshot {
            cart: cart.ok_or_else(|| inconsistent("orders.cart_id", id, "is no cart"))?,
            user: row.user_id.map(UserId),
            email: row.email,
            shipping_address: row.shipping_address.map(|address| address.0.into()),
            lines: lines.collect::<Result<_, _>>()?,
            total: Money { minor: row.total_minor, currency },
        };
        Ok(Self {
            id: OrderId(id),
            number: OrderNumber(row.number),
            snapshot,
            state: State::from_word(&row.state).ok_or_else(|| inconsistent("orders.state", id, &row.state))?,
            payment: payment_from(&row.payment_state, id)?,
            captured: Money { minor: row.captured_minor, currency },
            refunded: Money { minor: row.refunded_minor, currency },
            rejection: row.rejection.map(|rejection| rejection.0.try_into()).transpose()?,
            cancellation: row.cancel_time.map(|create_time| Cancellation { reason: row.cancel_reason, create_time }),
            refunds: Vec::new(),
            version: row.version,
            create_time: row.create_time,
            update_time: row.update_time,
        })
    }
}

/// Adds an order that is on its way. A taken number violates `orders_number_key`.
pub async fn insert(
    conn: &mut PgConnection,
    id: OrderId,
    number: &OrderNumber,
    snapshot: &Snapshot,
) -> Result<Order, sqlx::Error> {
    let row: OrderRow = sqlx::query_as(concat!(
        "INSERT INTO orders (id, number, state, cart_id, user_id, email, shipping_address, currency, \
             lines, total_minor) VALUES ($1, $2, 'PROCESSING', $3, $4, $5, $6, $7, $8, $9) RETURNING ",
        columns!()
    ))
    .bind(id.0)
    .bind(&number.0)
    .bind(snapshot.cart.as_str())
    .bind(snapshot.user.map(|user| user.0))
    .bind(&snapshot.email)
    .bind(snapshot.shipping_address.as_ref().map(|address| Json(AddressRow::from(address))))
    .bind(snapshot.total.currency.code())
    .bind(Json(snapshot.lines.iter().map(LineRow::from).collect::<Vec<_>>()))
    .bind(snapshot.total.minor)
    .fetch_one(conn)
    .await?;
    row.try_into()
}

/// One order, without its refunds.
pub async fn find(conn: &mut PgConnection, id: OrderId) -> Result<Option<Order>, sqlx::Error> {
    let row: Option<OrderRow> = sqlx::query_as(concat!("SELECT ", columns!(), " FROM orders WHERE id = $1"))
        .bind(id.0)
        .fetch_optional(conn)
        .await?;
    row.map(Order::try_from).transpose()
}

/// Ends an order: all of its money was taken.
pub async fn set_completed(conn: &mut PgConnection, id: OrderId) -> Result<Order, sqlx::Error> {
    let row: OrderRow = sqlx::query_as(concat!(
        "UPDATE orders SET state = 'COMPLETED', payment_state = 'CAPTURED', captured_minor = total_minor, \
             version = version + 1, update_time = now() WHERE id = $1 AND ",
        unended!(),
        " RETURNING ",
        columns!()
    ))
    .bind(id.0)
    .fetch_one(conn)
    .await?;
    row.try_into()
}

/// Ends an order: it came to nothing.
pub async fn set_rejected(conn: &mut PgConnection, id: OrderId, rejection: &Rejection) -> Result<Order, sqlx::Error> {
    let payment = match rejection {
        Rejection::PaymentDeclined(_) => "DECLINED",
        Rejection::OutOfStock(_) | Rejection::NotSettled => "VOIDED",
    };
    let row: OrderRow = sqlx::query_as(concat!(
        "UPDATE orders SET state = 'REJECTED', payment_state = $2, rejection = $3, version = version + 1, \
             update_time = now() WHERE id = $1 AND ",
        unended!(),
        " RETURNING ",
        columns!()
    ))
    .bind(id.0)
    .bind(payment)
    .bind(Json(RejectionRow::from(rejection)))
    .fetch_one(conn)
    .await?;
    row.try_into()
}

/// Ends an order: it was called off.
pub async fn set_cancelled(conn: &mut PgConnection, id: OrderId) -> Result<Order, sqlx::Error> {
    let row: OrderRow = sqlx::query_as(concat!(
        "UPDATE orders SET state = 'CANCELLED', payment_state = 'VOIDED', version = version + 1, update_time = now() \
             WHERE id = $1 AND ",
        unended!(),
        " RETURNING ",
        columns!()
    ))
    .bind(id.0)
    .fetch_one(conn)
    .await?;
    row.try_into()
}

/// Notes that an order is called off, and why; or, by none, that it can't be any more.
pub async fn set_cancellation(
    conn: &mut PgConnection,
    id: OrderId,
    reason: Option<&str>,
) -> Result<Order, sqlx::Error> {
    let row: OrderRow = sqlx::query_as(concat!(
        "UPDATE orders SET cancel_time = CASE WHEN $2::text IS NULL THEN NULL ELSE now() END, cancel_reason = coalesce($2, ''), \
             version = version + 1, update_time = now() WHERE id = $1 RETURNING ",
        columns!()
    ))
    .bind(id.0)
    .bind(reason)
    .fetch_one(conn)
    .await?;
    row.try_into()
}

/// Notes that a refund has ended: what was given back grows by so much, perhaps by nothing.
pub async fn add_refunded(conn: &mut PgConnection, id: OrderId, minor: i64) -> Result<Order, sqlx::Error> {
    let row: OrderRow = sqlx::query_as(concat!(
        "UPDATE orders SET refunded_minor = refunded_minor + $2, version = version + 1, update_time = now() \
             WHERE id = $1 RETURNING ",
        columns!()
    ))
    .bind(id.0)
    .bind(minor)
    .fetch_one(conn)
    .await?;
    row.try_into()
}

/// Notes that something about an order changed, in another table.
pub async fn touch(conn: &mut PgConnection, id: OrderId) -> Result<Order, sqlx::Error> {
    add_refunded(conn, id, 0).await
}

fn payment_from(text: &str, id: Uuid) -> Result<PaymentState, sqlx::Error> {
    match text {
        "PENDING" => Ok(PaymentState::Pending),
        "CAPTURED" => Ok(PaymentState::Captured),
        "DECLINED" => Ok(PaymentState::Declined),
        "VOIDED" => Ok(PaymentState::Voided),
        other => Err(inconsistent("orders.payment_state", id, other)),
    }
}
