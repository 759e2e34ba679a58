//! A service's login and the schema it owns.

use secrecy::SecretString;

/// A service's login and the schema it owns. Debug output hides the password.
#[derive(Debug, Clone)]
pub struct Role {
    /// Name of the login, such as `kontor_catalog`. One per server, not per database.
    pub name: &'static str,
    /// The schema it owns, such as `catalog`.
    pub schema: &'static str,
    pub password: SecretString,
}

impl Role {
    /// A role with a password that is made elsewhere.
    pub fn new(name: &'static str, schema: &'static str, password: SecretString) -> Self {
        Self { name, schema, password }
    }
}
