//! What is written down about accounts.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::origin::Origin;

/// Who did it, and from where.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    /// By the resource name; empty for nobody known.
    pub(crate) name: String,
    pub(crate) origin: Origin,
}

/// An event as it was written down.
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

/// Something that was done, or tried.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// A word such as `session.revoked`.
    pub(crate) action: &'static str,
    /// What it was done to, by its resource name; empty if that is not known.
    pub(crate) resource: String,
    /// What else there is to know. Never a secret.
    pub(crate) details: Vec<(&'static str, String)>,
}

impl Event {
    /// Without details.
    pub(crate) fn new(action: &'static str, resource: impl ToString) -> Self {
        Self { action, resource: resource.to_string(), details: Vec::new() }
    }

    /// Adds a detail.
    #[must_use]
    pub(crate) fn with(mut self, key: &'static str, value: impl ToString) -> Self {
        self.details.push((key, value.to_string()));
        self
    }
}
