//! Messages of the contract that the catalog stores: events, written in the transaction that makes them true, and answers to be given again.

use kontor_postgres::idempotency::Answer;
use kontor_proto::kontor::catalog::v1 as pb;
use kontor_runtime::events;
use prost::Message;
use sqlx::PgConnection;

use crate::domain::import::ImportReport;
use crate::domain::inventory::Stock;
use crate::domain::product::Product;
use crate::domain::reservation::Reservation;
use crate::wire;

/// A reservation was made, or changed. Its version counts both.
pub async fn append_reservation(conn: &mut PgConnection, reservation: &Reservation) -> Result<(), sqlx::Error> {
    let aggregate = format!("reservations/{}", reservation.order.0);
    events::append(conn, &aggregate, reservation.version, &wire::reservation(reservation)).await
}

/// A product was created or changed. Its version counts both.
pub async fn append_product(conn: &mut PgConnection, product: &Product) -> Result<(), sqlx::Error> {
    events::append(conn, &product.id.to_string(), product.version, &wire::product(product)).await
}

impl Answer for Stock {
    fn to_bytes(&self) -> Vec<u8> {
        wire::stock(self).encode_to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        wire::stock_from(&pb::Stock::decode(bytes).ok()?)
    }
}

/// The report of an import; none while it goes on. A report without any product is kept as none, too: then there is no work that could
/// be done twice.
pub struct KeptReport(pub Option<ImportReport>);

impl Answer for KeptReport {
    fn to_bytes(&self) -> Vec<u8> {
        self.0.clone().map(|report| wire::import_report(report).encode_to_vec()).unwrap_or_default()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let report = || pb::ImportProductsResponse::decode(bytes).ok().map(wire::import_report_from);
        if bytes.is_empty() { Some(Self(None)) } else { report().map(|report| Self(Some(report))) }
    }
}
