//! User accounts.

use chrono::{DateTime, Utc};
use kontor_types::ids::UserId;
use secrecy::{ExposeSecret, SecretString};

use super::email::Email;

#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) id: UserId,
    pub(crate) email: String,
    pub(crate) display_name: String,
    pub(crate) roles: Vec<String>,
    pub(crate) is_suspended: bool,
    pub(crate) create_time: DateTime<Utc>,
}

/// What a user signs in with.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    pub(crate) user: UserId,
    pub(crate) email: Email,
    pub(crate) password_hash: SecretString,
    pub(crate) is_suspended: bool,
    pub(crate) has_second_factor: bool,
}

impl Credentials {
    /// Whether the password is still the same as then.
    pub(crate) fn has_password_of(&self, then: &Self) -> bool {
        self.password_hash.expose_secret() == then.password_hash.expose_secret()
    }
}
