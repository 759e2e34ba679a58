//! The roles and what each permits. A permission that the contract asks for must be granted here.

use std::collections::BTreeSet;

/// Permits reading other people's accounts.
pub(crate) const READ_USERS: &str = "user.read";

/// What a user is to the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Runs the shop.
    Administrator,
    /// Buys in it.
    Customer,
}

/// A role's name that nobody knows.
#[derive(Debug, thiserror::Error)]
#[error("no role is called {0:?}")]
pub(crate) struct UnknownRole(String);

impl Role {
    /// All of them.
    pub(crate) const ALL: [Self; 2] = [Self::Administrator, Self::Customer];

    /// Its name, on the wire and in the database.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Customer => "customer",
        }
    }

    /// What it permits, beyond what every signed-in user may do.
    pub(crate) fn permissions(self) -> &'static [&'static str] {
        match self {
            Self::Administrator => &[
                "catalog.edit",
                "catalog.watch",
                "inventory.adjust",
                "order.cancel",
                "order.read",
                "order.refund",
                "order.watch",
                READ_USERS,
            ],
            Self::Customer => &[],
        }
    }

    /// From its name.
    pub(crate) fn parse(name: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.name() == name).ok_or_else(|| UnknownRole(name.to_owned()))
    }
}

/// The permissions of all these roles, as the claim `scope` has them (RFC 8693, section 4.2).
pub(crate) fn scope(roles: &[Role]) -> String {
    let permissions: BTreeSet<&str> = roles.iter().flat_map(|role| role.permissions()).copied().collect();
    permissions.into_iter().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use kontor_runtime::access::{Rule, rule_of};

    use super::{Role, scope};

    #[test]
    fn some_role_grants_every_permission_of_the_contract() {
        let methods = kontor_runtime::contract().services().flat_map(|s| s.methods().collect::<Vec<_>>());
        let asked: BTreeSet<String> = methods
            .filter_map(|method| match rule_of(&method) {
                Some(Rule::Permission(permission)) => Some(permission),
                Some(Rule::Public | Rule::SignedIn | Rule::Internal) | None => None,
            })
            .collect();
        let granted: BTreeSet<String> =
            Role::ALL.iter().flat_map(|role| role.permissions()).map(ToString::to_string).collect();
        let missing: Vec<_> = asked.difference(&granted).collect();
        assert!(!asked.is_empty() && missing.is_empty(), "no role grants {missing:?}");
    }

    #[test]
    fn a_scope_names_each_permission_once() {
        let twice = [Role::Administrator, Role::Customer, Role::Administrator];
        assert_eq!(
            scope(&twice),
            "catalog.edit catalog.watch inventory.adjust order.cancel order.read order.refund order.watch user.read"
        );
        assert_eq!(scope(&[Role::Customer]), "");
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.name()).unwrap(), role);
        }
        assert!(Role::parse("owner").is_err());
    }
}
