//! What the catalog tells others, as messages of the contract, written in the transaction that makes it true.

use kontor_postgres::outbox::{self, Event};
use kontor_proto::kontor::catalog::v1 as pb;
use kontor_types::ids::VariantName;
use prost::{Message, Name};
use sqlx::PgConnection;

use crate::domain::import::ImportReport;
use crate::domain::inventory::Stock;
use crate::domain::product::Product;
use crate::domain::reservation::Reservation;
use crate::wire;

/// A reservation was made, or changed. Its version counts both.
pub async fn append_reservation(conn: &mut PgConnection, reservation: &Reservation) -> Result<(), sqlx::Error> {
    let aggregate = format!("reservations/{}", reservation.order.0);
    append(conn, &aggregate, reservation.version, &wire::reservation(reservation)).await
}

/// A product was created or changed. Its version counts both.
pub async fn append_product(conn: &mut PgConnection, product: &Product) -> Result<(), sqlx::Error> {
    append(conn, &product.id.to_string(), product.version, &wire::product(product)).await
}

async fn append<M: Message + Name>(
    conn: &mut PgConnection,
    aggregate: &str,
    version: i64,
    message: &M,
) -> Result<(), sqlx::Error> {
    let kind = M::full_name();
    let trace_parent = kontor_runtime::propagation::current();
    let event = Event { aggregate, version, kind: &kind, payload: message.encode_to_vec(), trace_parent };
    outbox::append(conn, &event).await?;
    Ok(())
}

/// An answer of AdjustStock, to be kept.
pub fn stock_bytes(stock: &Stock) -> Vec<u8> {
    wire::stock(stock).encode_to_vec()
}

/// An answer of AdjustStock that was kept.
pub fn stock_from_bytes(bytes: &[u8], variant: VariantName) -> Option<Stock> {
    let stock = pb::Stock::decode(bytes).ok()?;
    Some(Stock { variant, on_hand: stock.on_hand, reserved: stock.reserved })
}

/// An answer of ImportProducts, to be kept.
pub fn report_bytes(report: &ImportReport) -> Vec<u8> {
    wire::import_report(report.clone()).encode_to_vec()
}

/// An answer of ImportProducts that was kept.
pub fn report_from_bytes(bytes: &[u8]) -> Option<ImportReport> {
    pb::ImportProductsResponse::decode(bytes).ok().map(wire::import_report_from)
}
