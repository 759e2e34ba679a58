//! Resource names from the wire. The contract's patterns let some through that are no names of ours; those do not exist.

use kontor_runtime::Fault;
use kontor_types::ids::{OrderId, VariantName, canonical};
use tonic::Status;
use uuid::Uuid;

use crate::domain::reference::{ProductRef, VariantRef};

pub(super) fn product(name: &str) -> Result<ProductRef, Status> {
    ProductRef::from_name(name).map_err(|_| Fault::not_found(name).into())
}

pub(super) fn variant(name: &str) -> Result<VariantRef, Status> {
    VariantRef::from_name(name).map_err(|_| Fault::not_found(name).into())
}

/// A variant's canonical name, as other services send it.
pub(super) fn canonical_variant(path: &str, name: &str) -> Result<VariantName, Status> {
    VariantName::from_name(name).map_err(|error| Fault::field(path, error.to_string()).into())
}

pub(super) fn order(name: &str) -> Result<OrderId, Status> {
    OrderId::from_name(name).map_err(|error| Fault::field("order", error.to_string()).into())
}

/// A refund's name: its order, and the refund itself.
pub(super) fn refund(name: &str) -> Result<(OrderId, Uuid), Status> {
    let parts = name.split_once("/refunds/");
    let ids = parts.and_then(|(order, refund)| Some((OrderId::from_name(order).ok()?, canonical(refund)?)));
    ids.ok_or_else(|| Fault::field("refund", "is no name of the form orders/{uuid}/refunds/{uuid}").into())
}
