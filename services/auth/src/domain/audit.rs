//! What is written down about accounts.

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
