//! The catalog on the wire.

mod error;
mod events;
mod import;
mod inventory;
mod parse;
mod products;
mod variants;

use kontor_postgres::outbox::Feed;
use kontor_proto::kontor::catalog::v1::catalog_event_service_server::CatalogEventServiceServer;
use kontor_proto::kontor::catalog::v1::inventory_service_server::InventoryServiceServer;
use kontor_proto::kontor::catalog::v1::product_service_server::ProductServiceServer;
use kontor_proto::kontor::catalog::v1::variant_service_server::VariantServiceServer;
use kontor_runtime::{Caller, Server};
use tonic::codec::CompressionEncoding::Gzip;

use crate::ops::Catalog;

/// What the permission to edit the catalog is called in the contract.
const EDIT: &str = "catalog.edit";

/// Whether the caller sees what is not for sale: editors, and our own services.
fn sees_all(caller: &Caller) -> bool {
    caller.may(EDIT) || caller.is_internal()
}

/// Adds the catalog's gRPC services to a server.
pub(crate) fn add_to(server: Server, catalog: Catalog, events: Feed) -> Server {
    let (products, variants) = (products::Products::new(catalog.clone()), variants::Variants(catalog.clone()));
    server
        .with(ProductServiceServer::new(products).accept_compressed(Gzip).send_compressed(Gzip))
        .with(VariantServiceServer::new(variants).accept_compressed(Gzip).send_compressed(Gzip))
        .with(InventoryServiceServer::new(inventory::Inventory(catalog)).accept_compressed(Gzip).send_compressed(Gzip))
        .with(CatalogEventServiceServer::new(events::EventApi(events)).accept_compressed(Gzip).send_compressed(Gzip))
}
