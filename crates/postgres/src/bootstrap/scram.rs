//! The form in which a password travels to Postgres: its SCRAM-SHA-256 verifier (RFC 5803), as
//! `psql \password` sends it. The server's log may show a statement that failed; it then shows
//! nothing one could log in with.

use std::num::NonZeroU32;

use aws_lc_rs::{digest, hmac, pbkdf2};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;

use super::Role;
use crate::Error;

/// What Postgres itself uses (`SCRAM_DEFAULT_ITERATIONS`).
const ITERATIONS: NonZeroU32 = NonZeroU32::MIN.saturating_add(4095);

/// `SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>`, with a salt of its own each time.
///
/// # Errors
/// For a password outside printable ASCII, where clients and servers normalise differently.
pub(super) fn verifier(role: &Role) -> Result<String, Error> {
    let password = role.password.expose_secret();
    if password.is_empty() || !password.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Err(Error::Password { role: role.name });
    }
    Ok(verifier_with(password, &rand::random::<[u8; 16]>()))
}

fn verifier_with(password: &str, salt: &[u8]) -> String {
    let mut salted = [0; digest::SHA256_OUTPUT_LEN];
    let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
    pbkdf2::derive(algorithm, ITERATIONS, salt, password.as_bytes(), &mut salted);
    let key = hmac::Key::new(hmac::HMAC_SHA256, &salted);
    let stored = digest::digest(&digest::SHA256, hmac::sign(&key, b"Client Key").as_ref());
    let server = hmac::sign(&key, b"Server Key");
    format!(
        "SCRAM-SHA-256${ITERATIONS}:{}${}:{}",
        STANDARD.encode(salt),
        STANDARD.encode(stored),
        STANDARD.encode(server)
    )
}

#[cfg(test)]
mod tests {
    use super::{Role, verifier};

    #[test]
    fn passwords_outside_printable_ascii_are_refused() {
        for password in ["", "p\u{e4}ss", "a\nb"] {
            assert!(verifier(&Role::new("r", "s", password.into())).is_err(), "{password:?}");
        }
    }

    #[test]
    fn the_same_password_gets_another_salt_each_time() {
        let role = Role::new("r", "s", "secret".into());
        assert_ne!(verifier(&role).unwrap(), verifier(&role).unwrap());
    }
}
