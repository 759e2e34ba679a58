//! What the requests of several services have alike, and the rules of the contract can't state.

use kontor_postgres::idempotency::Key;
use kontor_types::{NameToken, PageToken};
use prost::Message;
use tonic::Status;

use crate::caller::Caller;
use crate::fault::Fault;

/// The key of a call, if the caller gave it a request id; `id` is where the request holds it.
pub fn key<M: Message>(
    caller: &Caller,
    method: &'static str,
    request: &mut M,
    id: impl FnOnce(&mut M) -> &mut String,
) -> Option<Key> {
    Key::take(caller.subject.to_string(), method, request, id)
}

/// The page token of a list by id.
pub fn page_token(token: &str) -> Result<Option<PageToken>, Status> {
    PageToken::from_request(token).map_err(|error| Fault::field("page_token", error.to_string()).into())
}

/// The page token of a list by name.
pub fn name_token(token: &str) -> Result<Option<NameToken>, Status> {
    NameToken::from_request(token).map_err(|error| Fault::field("page_token", error.to_string()).into())
}

/// The value of a filter field; an empty one does not filter.
pub fn filter(value: &str) -> Option<&str> {
    Some(value).filter(|value| !value.is_empty())
}

/// Refuses a name where only the server gives one.
pub fn no_name(path: &str, name: &str) -> Result<(), Status> {
    match name {
        "" => Ok(()),
        _ => Err(Fault::field(path, "is made by the server and can't be chosen").into()),
    }
}

/// The fields to update: those that the mask names, or all of them by "*"; without a mask those that are set (AIP-134). `fields` are the
/// fields that can be updated, and whether the request sets them.
pub fn update_mask(
    mask: Option<prost_types::FieldMask>,
    fields: &[(&'static str, bool)],
) -> Result<Vec<&'static str>, Status> {
    let paths = mask.unwrap_or_default().paths;
    match paths.as_slice() {
        [] => Ok(fields.iter().filter(|(_, is_set)| *is_set).map(|(path, _)| *path).collect()),
        [all] if all == "*" => Ok(fields.iter().map(|(path, _)| *path).collect()),
        _ => paths.iter().map(|path| updatable(path, fields)).collect(),
    }
}

fn updatable(path: &str, fields: &[(&'static str, bool)]) -> Result<&'static str, Status> {
    let found = fields.iter().map(|(name, _)| *name).find(|name| *name == path);
    found.ok_or_else(|| {
        let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
        let rule = format!("{path:?} can't be changed here; what can: {}", names.join(", "));
        Fault::field("update_mask", rule).into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(paths: &[&str]) -> Option<prost_types::FieldMask> {
        Some(prost_types::FieldMask { paths: paths.iter().map(ToString::to_string).collect() })
    }

    #[test]
    fn a_mask_names_what_to_update() {
        let fields = [("description", true), ("permissions", false)];
        assert_eq!(update_mask(None, &fields).unwrap(), ["description"]);
        assert_eq!(update_mask(names(&[]), &fields).unwrap(), ["description"]);
        assert_eq!(update_mask(names(&["*"]), &fields).unwrap(), ["description", "permissions"]);
        assert_eq!(update_mask(names(&["permissions"]), &fields).unwrap(), ["permissions"]);
        for other in ["name", "built_in", "Description", "permissions.x", "*", ""] {
            assert!(update_mask(names(&["description", other]), &fields).is_err(), "{other}");
        }
    }
}
