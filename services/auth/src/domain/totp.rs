//! Authenticators: codes that follow from a secret and the time (TOTP, RFC 6238), with what every app can do: SHA-1, six
//! digits, 30 seconds.

use kontor_types::ids::UserId;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use totp_rs::{Builder, Totp, TotpError};

use super::email::Email;

/// The length of a secret in bytes: that of SHA-1's output (RFC 4226, section 4).
const SECRET_BYTES: usize = 20;
pub(crate) const DIGITS: u8 = 6;
/// How long a code is shown, in seconds.
const STEP_SECONDS: u64 = 30;
/// By how many steps clocks may differ.
const STEPS_APART: u16 = 1;
/// What apps show beside the account.
const ISSUER: &str = "Kontor";

/// The secret and settings that an authenticator app and the server share.
pub(crate) struct Authenticator(Totp);

pub(crate) fn generate() -> SecretSlice<u8> {
    rand::random::<[u8; SECRET_BYTES]>().to_vec().into()
}

/// The associated data that a user's secret is sealed with.
pub(crate) fn place(user: UserId) -> String {
    format!("auth.authenticators.sealed_secret.{}", user.0)
}

impl Authenticator {
    pub(crate) fn new(secret: &SecretSlice<u8>, email: &Email) -> Result<Self, TotpError> {
        // Apps take a colon as the end of the issuer, and no address has one.
        let account = email.as_str().to_owned();
        Builder::new()
            .with_secret(secret.expose_secret())
            .with_digits(DIGITS)
            .with_step_duration(STEP_SECONDS)
            .with_skew(STEPS_APART)
            .with_issuer(Some(ISSUER))
            .with_account_name(account)
            .build()
            .map(Self)
    }

    /// The secret in base32.
    pub(crate) fn secret(&self) -> SecretString {
        self.0.secret().to_base32().into()
    }

    /// The secret as apps scan it.
    pub(crate) fn uri(&self) -> Result<SecretString, TotpError> {
        self.0.to_url().map(Into::into)
    }

    /// The step that a code belongs to, if it is valid at this time, in Unix seconds.
    pub(crate) fn step(&self, code: &SecretString, now: i64) -> Option<i64> {
        let step = self.0.check(code.expose_secret(), u64::try_from(now).ok()?)?;
        i64::try_from(step).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authenticator() -> Authenticator {
        // The secret of RFC 6238, appendix B.
        let secret = b"12345678901234567890".to_vec().into();
        Authenticator::new(&secret, &Email::parse("a_b@example.org").unwrap()).unwrap()
    }

    #[test]
    fn codes_are_those_of_the_rfc() {
        // The last six of its eight digits.
        for (time, code) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")] {
            assert_eq!(authenticator().step(&code.into(), time), Some(time / 30), "{time}");
        }
    }

    #[test]
    fn a_code_is_good_in_the_steps_beside_its_own_and_no_further() {
        let step_at = |now| authenticator().step(&"081804".into(), now);
        let own = 1_111_111_109 / 30;
        for (steps, good) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            assert_eq!(step_at((own + steps) * 30), good.then_some(own), "{steps}");
        }
        assert_eq!(step_at(-1), None);
        assert_eq!(authenticator().step(&"08180".into(), 1_111_111_109), None);
    }

    #[test]
    fn the_address_for_apps_names_account_and_issuer() {
        let uri = authenticator().uri().unwrap();
        let uri = uri.expose_secret();
        assert!(uri.starts_with("otpauth://totp/Kontor:a_b%40example.org?"), "{uri}");
        assert!(uri.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ") && uri.contains("issuer=Kontor"), "{uri}");
    }
}
