//! Events of the order service, as messages of the contract, written in the transaction that makes them true.

use kontor_runtime::events;
use sqlx::PgConnection;

use crate::domain::order::Order;
use crate::wire;

/// An order was accepted, changed or ended. Its version counts that.
pub async fn append_order(conn: &mut PgConnection, order: &Order) -> Result<(), sqlx::Error> {
    events::append(conn, &order.id.to_string(), order.version, &wire::order(order)).await
}
