//! A person's account.

use chrono::{DateTime, Utc};
use kontor_types::ids::UserId;
use secrecy::{ExposeSecret, SecretString};

use super::email::Email;

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

/// What somebody signs in with.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    pub(crate) user: UserId,
    pub(crate) email: Email,
    pub(crate) password_hash: SecretString,
    pub(crate) is_suspended: bool,
    /// Whether a code is asked for too.
    pub(crate) has_second_factor: bool,
}

impl Credentials {
    /// Whether they still have the password that they had then.
    pub(crate) fn has_password_of(&self, then: &Self) -> bool {
        self.password_hash.expose_secret() == then.password_hash.expose_secret()
    }
}
