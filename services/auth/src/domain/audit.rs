//! Audit events about accounts.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::origin::Origin;

#[derive(Clone, Debug)]
pub(crate) struct Actor {
    /// The resource name; empty if it is not known.
    pub(crate) name: String,
    pub(crate) origin: Origin,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) id: Uuid,
    pub(crate) action: String,
    pub(crate) actor: String,
    pub(crate) resource: String,
    pub(crate) address: String,
    pub(crate) user_agent: String,
    pub(crate) details: BTreeMap<String, String>,
    pub(crate) create_time: DateTime<Utc>,
}

#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// A word such as `session.revoked`.
    pub(crate) action: &'static str,
    /// The resource name of what it changed; empty if that is not known.
    pub(crate) resource: String,
    /// Never holds a secret.
    pub(crate) details: Vec<(&'static str, String)>,
}

impl Event {
    pub(crate) fn new(action: &'static str, resource: impl ToString) -> Self {
        Self { action, resource: resource.to_string(), details: Vec::new() }
    }

    #[must_use]
    pub(crate) fn with(mut self, key: &'static str, value: impl ToString) -> Self {
        self.details.push((key, value.to_string()));
        self
    }
}
