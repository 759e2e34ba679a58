//! What the services have in their tables. Rows are read as JSON objects by the names of their columns, so that a column that a
//! later migration adds is in nobody's way.

use kontor_proto::kontor::{catalog::v1 as catalog, order::v1 as pb};
use kontor_runtime::Error;
use prost::Message;
use serde::Deserialize;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct StockRow {
    pub(crate) variant_id: Uuid,
    pub(crate) on_hand: i64,
    pub(crate) reserved: i64,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct MovementRow {
    pub(crate) variant_id: Uuid,
    pub(crate) delta: i64,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ReservationRow {
    pub(crate) order_id: Uuid,
    pub(crate) state: String,
    pub(crate) variant_ids: Vec<Uuid>,
    pub(crate) quantities: Vec<i64>,
    #[serde(default)]
    pub(crate) version: Option<i64>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct OrderRow {
    pub(crate) id: Uuid,
    pub(crate) state: String,
    pub(crate) cart_id: String,
    pub(crate) total_minor: i64,
    pub(crate) captured_minor: i64,
    #[serde(default)]
    pub(crate) refunded_minor: i64,
    pub(crate) version: i64,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct HistoryRow {
    pub(crate) order_id: Uuid,
    pub(crate) epoch: i64,
    pub(crate) kind: String,
    pub(crate) message: String,
}

/// An event of an outbox, with what it says if it is of an order or a reservation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Event {
    pub(crate) id: Uuid,
    pub(crate) aggregate: String,
    pub(crate) version: i64,
    /// Its place in the feed, once it has one.
    pub(crate) position: Option<i64>,
    pub(crate) order: Option<pb::Order>,
    pub(crate) reservation: Option<catalog::Reservation>,
}

const LOOSE_ENDS: &str = "SELECT 'orders/' || order_id || ' rests, and its payment token is kept' FROM \"order\".sagas \
    WHERE lease_until IS NULL AND payment_token <> '' \
    UNION ALL SELECT 'orders/' || o.id || ' is ' || o.state || ', and its cart is not open again' FROM \"order\".orders o \
    JOIN \"order\".carts c ON c.order_id = o.id WHERE o.state IN ('REJECTED', 'CANCELLED')";

#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    pub(crate) stock: Vec<StockRow>,
    pub(crate) movements: Vec<MovementRow>,
    pub(crate) reservations: Vec<ReservationRow>,
    pub(crate) orders: Vec<OrderRow>,
    pub(crate) sagas: Vec<Uuid>,
    pub(crate) catalog_events: Vec<Event>,
    pub(crate) order_events: Vec<Event>,
    /// What was left undone: secrets that are kept though they are not needed any more, carts that are not open again.
    pub(crate) loose_ends: Vec<String>,
    /// In the order in which it was written.
    pub(crate) history: Vec<HistoryRow>,
}

impl Rows {
    pub(crate) async fn read(conn: &mut PgConnection) -> Result<Self, Error> {
        Ok(Self {
            stock: objects(conn, "SELECT to_jsonb(t) FROM catalog.stock t").await?,
            movements: objects(conn, "SELECT to_jsonb(t) FROM catalog.stock_movements t").await?,
            reservations: objects(conn, "SELECT to_jsonb(t) FROM catalog.reservations t").await?,
            orders: objects(conn, "SELECT to_jsonb(t) FROM \"order\".orders t").await?,
            sagas: sqlx::query_scalar("SELECT order_id FROM \"order\".sagas WHERE lease_until IS NOT NULL")
                .fetch_all(&mut *conn)
                .await?,
            loose_ends: sqlx::query_scalar(LOOSE_ENDS).fetch_all(&mut *conn).await?,
            catalog_events: events(
                conn,
                "SELECT id, aggregate, version, payload, (to_jsonb(t) ->> 'position')::bigint \
                                          FROM catalog.outbox_events t ORDER BY aggregate, version",
            )
            .await?,
            order_events: events(
                conn,
                "SELECT id, aggregate, version, payload, (to_jsonb(t) ->> 'position')::bigint \
                                        FROM \"order\".outbox_events t ORDER BY aggregate, version",
            )
            .await?,
            history: objects(conn, "SELECT to_jsonb(t) FROM \"order\".order_history t ORDER BY write_time, epoch")
                .await?,
        })
    }
}

/// Of these orders, those that have not ended, by their names. Without a list, of all.
pub(crate) async fn processing(conn: &mut PgConnection) -> Result<Vec<String>, Error> {
    let orders: Vec<Uuid> = sqlx::query_scalar(
        "SELECT id FROM \"order\".orders WHERE state = 'PROCESSING' UNION SELECT order_id FROM \"order\".sagas WHERE lease_until IS NOT NULL",
    )
    .fetch_all(conn)
    .await?;
    Ok(orders.into_iter().map(|id| format!("orders/{id}")).collect())
}

/// How many events there are: the catalog's and the order service's.
pub(crate) async fn event_counts(conn: &mut PgConnection) -> Result<[i64; 2], Error> {
    let (catalog, order) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM catalog.outbox_events), (SELECT count(*) FROM \"order\".outbox_events)",
    )
    .fetch_one(conn)
    .await?;
    Ok([catalog, order])
}

async fn objects<T>(conn: &mut PgConnection, sql: &'static str) -> Result<Vec<T>, Error>
where
    T: for<'a> Deserialize<'a> + Send + Unpin + 'static,
{
    let rows: Vec<Json<T>> = sqlx::query_scalar(sql).fetch_all(conn).await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

type EventRow = (Uuid, String, i64, Vec<u8>, Option<i64>);

async fn events(conn: &mut PgConnection, sql: &'static str) -> Result<Vec<Event>, Error> {
    let rows: Vec<EventRow> = sqlx::query_as(sql).fetch_all(conn).await?;
    rows.into_iter()
        .map(|(id, aggregate, version, payload, position)| {
            let event = Event { id, version, position, ..Event::default() };
            Ok(match aggregate.split_once('/') {
                Some(("orders", _)) => Event { order: Some(pb::Order::decode(&*payload)?), aggregate, ..event },
                Some(("reservations", _)) => {
                    Event { reservation: Some(catalog::Reservation::decode(&*payload)?), aggregate, ..event }
                }
                _ => Event { aggregate, ..event },
            })
        })
        .collect()
}
