//! Service accounts and their keys.

use chrono::{DateTime, Utc};
use uuid::Uuid;

#[derive(Clone, Debug)]
pub(crate) struct ServiceAccount {
    pub(crate) id: String,
    pub(crate) display_name: String,
    /// Whether it is one of Kontor's own services, which the settings name.
    pub(crate) built_in: bool,
    pub(crate) create_time: DateTime<Utc>,
}

impl ServiceAccount {
    pub(crate) fn name(&self) -> String {
        account_name(&self.id)
    }
}

/// A key of a service account, without its secret.
#[derive(Clone, Debug)]
pub(crate) struct AccountKey {
    pub(crate) id: Uuid,
    pub(crate) account: String,
    pub(crate) display_name: String,
    /// The permissions that its tokens may carry; empty for all permissions of the account's roles.
    pub(crate) scopes: Vec<String>,
    pub(crate) expire_time: Option<DateTime<Utc>>,
    pub(crate) create_time: DateTime<Utc>,
    pub(crate) last_use_time: Option<DateTime<Utc>>,
}

impl AccountKey {
    pub(crate) fn name(&self) -> String {
        format!("serviceAccounts/{}/keys/{}", self.account, self.id)
    }
}

pub(crate) fn account_name(id: &str) -> String {
    format!("serviceAccounts/{id}")
}

/// The permissions of an account that a key with these scopes may use.
pub(crate) fn within(scopes: &[String], permissions: Vec<String>) -> Vec<String> {
    permissions.into_iter().filter(|permission| scopes.is_empty() || scopes.contains(permission)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_only_ever_narrow() {
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        let held = texts(&["order.read", "order.watch"]);
        assert_eq!(within(&[], held.clone()), held);
        assert_eq!(within(&texts(&["order.watch", "order.refund"]), held.clone()), ["order.watch"]);
        assert!(within(&texts(&["internal"]), held).is_empty());
    }
}
