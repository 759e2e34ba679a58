//! Secrets that are random enough to need no salt and no slow hash, and their SHA-256: codes, tokens, keys.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};

/// A secret of 256 random bits.
pub(crate) fn random_secret() -> SecretString {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()).into()
}

/// The hash of a secret, as the database stores it. Debug output hides it: the hash of a short code gives the code away.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SecretHash(pub(crate) Vec<u8>);

impl SecretHash {
    pub(crate) fn of(secret: &SecretString) -> Self {
        Self(digest(&SHA256, secret.expose_secret().as_bytes()).as_ref().to_vec())
    }

    pub(crate) fn matches(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}
