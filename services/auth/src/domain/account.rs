//! A person's account.

use chrono::{DateTime, Utc};
use kontor_types::ids::UserId;

/// A person with an account.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) id: UserId,
    /// As it was given.
    pub(crate) email: String,
    /// May be empty.
    pub(crate) display_name: String,
    /// The ids of the roles, in order.
    pub(crate) roles: Vec<String>,
    /// Whether they are shut out.
    pub(crate) is_suspended: bool,
    pub(crate) create_time: DateTime<Utc>,
}
