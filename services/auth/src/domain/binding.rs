//! Who has which role.

use std::fmt;

use chrono::{DateTime, Utc};
use kontor_types::ids::UserId;
use uuid::Uuid;

/// Who can have a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Member {
    /// A person.
    User(UserId),
    /// A program, by the name of its account.
    ServiceAccount(String),
}

impl Member {
    /// From a resource name: `users/{uuid}` or `serviceAccounts/{id}`.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        match name.strip_prefix("serviceAccounts/") {
            Some(account) => Some(Self::ServiceAccount(account.to_owned())),
            None => UserId::from_name(name).ok().map(Self::User),
        }
    }

    /// The person.
    pub(crate) fn user(&self) -> Option<UserId> {
        match self {
            Self::User(id) => Some(*id),
            Self::ServiceAccount(_) => None,
        }
    }

    /// The name of the program's account.
    pub(crate) fn service_account(&self) -> Option<&str> {
        match self {
            Self::User(_) => None,
            Self::ServiceAccount(account) => Some(account),
        }
    }
}

impl fmt::Display for Member {
    /// The resource name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => id.fmt(f),
            Self::ServiceAccount(account) => write!(f, "serviceAccounts/{account}"),
        }
    }
}

/// Somebody has a role.
#[derive(Clone, Debug)]
pub(crate) struct Binding {
    pub(crate) id: Uuid,
    /// The role's id.
    pub(crate) role: String,
    /// The member's resource name.
    pub(crate) member: String,
    pub(crate) create_time: DateTime<Utc>,
}

impl Binding {
    /// The resource name.
    pub(crate) fn name(&self) -> String {
        format!("roleBindings/{}", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_as_they_are_written() {
        for name in [UserId::generate().to_string(), "serviceAccounts/erp".into()] {
            assert_eq!(Member::from_name(&name).unwrap().to_string(), name);
        }
        for other in ["users/me", "users/1", "roles/support", ""] {
            assert_eq!(Member::from_name(other), None, "{other}");
        }
    }
}
