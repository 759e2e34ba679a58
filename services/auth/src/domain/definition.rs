//! The definition of a role, built in or an operator's own.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::roles::Role;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Definition {
    pub(crate) id: String,
    pub(crate) description: String,
    pub(crate) permissions: Vec<String>,
    /// None if it is built in.
    pub(crate) create_time: Option<DateTime<Utc>>,
}

impl Definition {
    pub(crate) fn name(&self) -> String {
        format!("roles/{}", self.id)
    }

    /// Whether it has a permission that the other lacks.
    pub(crate) fn exceeds(&self, other: &Self) -> bool {
        self.permissions.iter().any(|permission| !other.permissions.contains(permission))
    }
}

impl From<Role> for Definition {
    fn from(role: Role) -> Self {
        let permissions = role.permissions().iter().map(ToString::to_string).collect();
        Self { id: role.name().into(), description: role.description().into(), permissions, create_time: None }
    }
}

/// A change of a role; absent fields stay.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    pub(crate) description: Option<String>,
    pub(crate) permissions: Option<Vec<String>>,
}

impl Change {
    pub(crate) fn of(&self, role: &Definition) -> Definition {
        let description = self.description.as_ref().unwrap_or(&role.description).clone();
        let permissions = self.permissions.as_ref().map_or_else(|| role.permissions.clone(), |new| in_order(new));
        Definition { description, permissions, ..role.clone() }
    }
}

pub(crate) fn in_order(permissions: &[String]) -> Vec<String> {
    permissions.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_leaves_the_rest() {
        let role = Definition::from(Role::Fulfilment);
        assert_eq!(Change::default().of(&role), role);
        let fewer = Change { permissions: Some(vec!["order.watch".into(), "order.read".into()]), description: None };
        let changed = fewer.of(&role);
        assert_eq!(changed.permissions, ["order.read", "order.watch"]);
        assert_eq!(changed.description, role.description);
        assert!(role.exceeds(&changed) && !changed.exceeds(&role));
    }
}
