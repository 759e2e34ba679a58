//! What the contract's rules can't state.

use kontor_runtime::Fault;
use kontor_runtime::access::permissions_asked;
pub(super) use kontor_runtime::request::{filter, name_token, no_name, page_token, update_mask};
use kontor_types::ids::canonical;
use prost_types::FieldMask;
use tonic::Status;
use uuid::Uuid;

use crate::domain::definition::in_order;
use crate::domain::email::Email;

/// The new display name, if the mask names it; without a mask, if it is set.
pub(super) fn display_name(display_name: String, mask: Option<FieldMask>) -> Result<Option<String>, Status> {
    let changed = update_mask(mask, &[("display_name", !display_name.is_empty())])?;
    Ok(Some(display_name).filter(|_| !changed.is_empty()))
}

pub(super) fn email(text: &str) -> Result<Email, Status> {
    Email::parse(text).map_err(|error| Fault::field("email", error.to_string()).into())
}

/// A role binding's name: `roleBindings/{uuid}`.
pub(super) fn role_binding(name: &str) -> Result<Uuid, Status> {
    let id = name.strip_prefix("roleBindings/").and_then(canonical);
    id.ok_or_else(|| Fault::not_found(name).into())
}

/// A key's name, `serviceAccounts/{id}/keys/{uuid}`: the id of its account, and its own.
pub(super) fn service_account_key(name: &str) -> Result<(&str, Uuid), Status> {
    let parts = name.strip_prefix("serviceAccounts/").and_then(|rest| rest.split_once("/keys/"));
    let ids = parts.and_then(|(account, key)| Some((account, canonical(key)?)));
    ids.ok_or_else(|| Fault::not_found(name).into())
}

/// Permissions that some method asks for, in order, each once.
pub(super) fn permissions(path: &str, given: &[String]) -> Result<Vec<String>, Status> {
    let asked = permissions_asked();
    match given.iter().position(|permission| !asked.contains(permission)) {
        None => Ok(in_order(given)),
        Some(index) => {
            let path = format!("{path}[{index}]");
            Err(Fault::field(&path, "is no permission: no method asks for it").into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_permission_but_those_of_the_contract() {
        let given = ["order.read", "catalog.edit", "order.read"].map(str::to_owned);
        assert_eq!(permissions("role.permissions", &given).unwrap(), ["catalog.edit", "order.read"]);
        for other in ["internal", "order.*", "order.read order.refund", "", "zebra.ride"] {
            let refused = permissions("role.permissions", &["order.read".to_owned(), other.to_owned()]).unwrap_err();
            assert!(refused.message().starts_with("role.permissions[1]: "), "{other}");
        }
    }
}
