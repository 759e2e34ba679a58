//! A person's account.

use chrono::{DateTime, Utc};
use kontor_types::ids::UserId;

use super::roles::Role;

/// A person with an account.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) id: UserId,
    /// As it was given.
    pub(crate) email: String,
    /// May be empty.
    pub(crate) display_name: String,
    pub(crate) roles: Vec<Role>,
    pub(crate) create_time: DateTime<Utc>,
}
