//! A database URL that does not show in Debug output.

use std::fmt;
use std::ops::Deref;

use url::Url;

/// A database URL that does not show in Debug output, since it holds a password.
#[derive(Clone)]
pub(crate) struct SecretUrl(pub(crate) Url);

impl SecretUrl {
    /// The same server and login, in another database.
    pub(crate) fn with_database(&self, name: &str) -> Self {
        let mut url = self.0.clone();
        url.set_path(&crate::quote::url_part(name));
        Self(url)
    }
}

impl Deref for SecretUrl {
    type Target = Url;

    fn deref(&self) -> &Url {
        &self.0
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}
