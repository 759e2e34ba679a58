//! Role bindings and their members.

use std::fmt;

use chrono::{DateTime, Utc};
use kontor_types::ids::UserId;
use uuid::Uuid;

/// A user or service account that can have roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Member {
    User(UserId),
    /// By the id of the account.
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

    pub(crate) fn user(&self) -> Option<UserId> {
        match self {
            Self::User(id) => Some(*id),
            Self::ServiceAccount(_) => None,
        }
    }

    pub(crate) fn service_account(&self) -> Option<&str> {
        match self {
            Self::User(_) => None,
            Self::ServiceAccount(account) => Some(account),
        }
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => id.fmt(f),
            Self::ServiceAccount(account) => write!(f, "serviceAccounts/{account}"),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Binding {
    pub(crate) id: Uuid,
    pub(crate) role: String,
    pub(crate) member: String,
    pub(crate) create_time: DateTime<Utc>,
}

impl Binding {
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
