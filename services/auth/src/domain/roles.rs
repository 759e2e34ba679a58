//! The roles that come with Kontor, and what each permits. The one place where permissions are granted; the contract is where they are asked
//! for, and [`check`] holds both together.

use std::collections::BTreeSet;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Administrator,
    CatalogEditor,
    Fulfilment,
    Support,
    Customer,
}

impl Role {
    pub(crate) const ALL: [Self; 5] =
        [Self::Administrator, Self::CatalogEditor, Self::Customer, Self::Fulfilment, Self::Support];

    /// The last part of its resource name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::CatalogEditor => "catalog-editor",
            Self::Fulfilment => "fulfilment",
            Self::Support => "support",
            Self::Customer => "customer",
        }
    }

    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::Administrator => "Runs the shop: everything",
            Self::CatalogEditor => "Keeps products and stock",
            Self::Fulfilment => "Sends what was ordered",
            Self::Support => "Helps buyers with accounts and orders",
            Self::Customer => "Buys; what everybody may do",
        }
    }

    /// Its permissions, beyond what every signed-in user may do. Sorted.
    pub(crate) fn permissions(self) -> &'static [&'static str] {
        match self {
            Self::Administrator => &[
                "audit.read",
                "catalog.edit",
                "catalog.watch",
                "inventory.adjust",
                "key.rotate",
                "order.cancel",
                "order.read",
                "order.refund",
                "order.watch",
                "role.edit",
                "role.grant",
                "role.read",
                "service_account.edit",
                "service_account.read",
                "session.revoke",
                "user.delete",
                "user.edit",
                "user.read",
                "user.suspend",
            ],
            Self::CatalogEditor => &["catalog.edit", "catalog.watch", "inventory.adjust"],
            Self::Fulfilment => &["inventory.adjust", "order.read", "order.watch"],
            Self::Support => {
                &["order.cancel", "order.read", "order.refund", "session.revoke", "user.read", "user.suspend"]
            }
            Self::Customer => &[],
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// A mismatch of roles and contract.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Misfit {
    #[error("no role grants the permission {0}, which the contract asks for")]
    NotGranted(String),
    #[error("no method asks for the permission {0}, which a role grants")]
    NotAsked(String),
}

/// Compares what the roles grant with what the contract asks for.
pub(crate) fn check(asked: &BTreeSet<String>) -> Result<(), Misfit> {
    let granted: BTreeSet<String> =
        Role::ALL.iter().flat_map(|role| role.permissions()).map(ToString::to_string).collect();
    if let Some(missing) = asked.difference(&granted).next() {
        return Err(Misfit::NotGranted(missing.clone()));
    }
    granted.difference(asked).next().map_or(Ok(()), |idle| Err(Misfit::NotAsked(idle.clone())))
}

/// What roles permit together, each permission once, in order. Of a role that does not come with Kontor the permissions are given.
pub(crate) fn permissions(roles: Vec<(String, Option<Vec<String>>)>) -> Vec<String> {
    let of_role = |(id, own): (String, Option<Vec<String>>)| match Role::parse(&id) {
        Some(role) => role.permissions().iter().map(ToString::to_string).collect(),
        None => own.unwrap_or_default(),
    };
    roles.into_iter().flat_map(of_role).collect::<BTreeSet<String>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_and_contract_fit_together() {
        assert_eq!(check(&kontor_runtime::access::permissions_asked()), Ok(()));
    }

    #[test]
    fn a_permission_that_nobody_grants_or_nobody_asks_for_is_a_misfit() {
        let mut asked = kontor_runtime::access::permissions_asked();
        asked.insert("zebra.ride".into());
        let misfit = check(&asked).unwrap_err();
        assert_eq!(misfit, Misfit::NotGranted("zebra.ride".into()));
        assert_eq!(misfit.to_string(), "no role grants the permission zebra.ride, which the contract asks for");
        asked.remove("zebra.ride");
        asked.remove("key.rotate");
        assert_eq!(check(&asked), Err(Misfit::NotAsked("key.rotate".into())));
    }

    #[test]
    fn permissions_of_several_roles_are_named_once_and_in_order() {
        let roles =
            vec![("support".into(), None), ("fulfilment".into(), None), ("own".into(), Some(vec!["a.b".into()]))];
        let together = permissions(roles);
        assert!(together.is_sorted() && together.first().is_some_and(|first| first == "a.b"));
        assert_eq!(together.iter().filter(|permission| *permission == "order.read").count(), 1);
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.name()), Some(role));
            assert!(role.permissions().is_sorted());
        }
        assert_eq!(Role::parse("owner"), None);
    }
}
