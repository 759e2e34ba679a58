//! What the contract's rules can't state.

use kontor_runtime::Fault;
use kontor_runtime::access::permissions_asked;
use kontor_types::ids::canonical;
use kontor_types::{NameToken, PageToken};
use tonic::Status;
use uuid::Uuid;

use crate::domain::definition::in_order;
use crate::domain::email::Email;

/// A page token of a list by id.
pub(super) fn page_token(token: &str) -> Result<Option<PageToken>, Status> {
    PageToken::from_request(token).map_err(|error| Fault::field("page_token", error.to_string()).into())
}

/// A page token of a list by name.
pub(super) fn name_token(token: &str) -> Result<Option<NameToken>, Status> {
    NameToken::from_request(token).map_err(|error| Fault::field("page_token", error.to_string()).into())
}

/// The fields to change: those that the mask names, or all that can be changed by "*"; without a mask those that are set (AIP-134).
pub(super) fn mask(
    mask: Option<Vec<String>>,
    changeable: &[(&'static str, bool)],
) -> Result<Vec<&'static str>, Status> {
    let paths = mask.unwrap_or_default();
    match paths.as_slice() {
        [] => Ok(changeable.iter().filter(|(_, is_set)| *is_set).map(|(path, _)| *path).collect()),
        [all] if all == "*" => Ok(changeable.iter().map(|(path, _)| *path).collect()),
        _ => paths.iter().map(|path| changeable_path(path, changeable)).collect(),
    }
}

fn changeable_path(path: &str, changeable: &[(&'static str, bool)]) -> Result<&'static str, Status> {
    let found = changeable.iter().map(|(name, _)| *name).find(|name| *name == path);
    found.ok_or_else(|| {
        let names: Vec<_> = changeable.iter().map(|(name, _)| *name).collect();
        let rule = format!("{path:?} can't be changed here; what can: {}", names.join(", "));
        Fault::field("update_mask", rule).into()
    })
}

/// The new display name, if the mask names it; without a mask, if it is set.
pub(super) fn display_name(display_name: String, mask: Option<Vec<String>>) -> Result<Option<String>, Status> {
    let changed = self::mask(mask, &[("display_name", !display_name.is_empty())])?;
    Ok(Some(display_name).filter(|_| !changed.is_empty()))
}

/// A filter of a list; an empty text is none.
pub(super) fn filter(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
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

/// A name that only the server gives.
pub(super) fn no_name(path: &str, name: &str) -> Result<(), Status> {
    match name {
        "" => Ok(()),
        _ => Err(Fault::field(path, "is made by the server and can't be chosen").into()),
    }
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

    fn names(paths: &[&str]) -> Option<Vec<String>> {
        Some(paths.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_mask_names_what_to_change() {
        let fields = [("description", true), ("permissions", false)];
        assert_eq!(mask(None, &fields).unwrap(), ["description"]);
        assert_eq!(mask(names(&[]), &fields).unwrap(), ["description"]);
        assert_eq!(mask(names(&["*"]), &fields).unwrap(), ["description", "permissions"]);
        assert_eq!(mask(names(&["permissions"]), &fields).unwrap(), ["permissions"]);
        for other in ["name", "built_in", "Description", "permissions.x", "*", ""] {
            assert!(mask(names(&["description", other]), &fields).is_err(), "{other}");
        }
    }

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
