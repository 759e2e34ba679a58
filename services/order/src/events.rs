//! What the order service tells others, as messages of the contract, written in the transaction that makes it true.

use kontor_postgres::outbox::{self, Event};
use prost::{Message, Name};
use sqlx::PgConnection;

use crate::domain::order::Order;
use crate::wire;

/// An order was accepted, changed or ended. Its version counts that.
pub async fn append_order(conn: &mut PgConnection, order: &Order) -> Result<(), sqlx::Error> {
    let (aggregate, payload) = (order.id.to_string(), wire::order(order));
    let kind = kontor_proto::kontor::order::v1::Order::full_name();
    let trace_parent = kontor_runtime::propagation::current();
    let payload = payload.encode_to_vec();
    outbox::append(conn, &Event { aggregate: &aggregate, version: order.version, kind: &kind, payload, trace_parent })
        .await?;
    Ok(())
}
