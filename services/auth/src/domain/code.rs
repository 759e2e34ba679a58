//! The code that a sign-up or a password reset mails: eight digits. It is hashed together with the resource name of what
//! it is for, so that equal codes differ in the database and one is no good for anything else.

use std::fmt::Display;

use secrecy::{ExposeSecret, SecretString};

use super::hash::SecretHash;

/// How long a code is good, in seconds.
pub(crate) const LIFE_SECONDS: i64 = 30 * 60;
/// The wrong codes that end a sign-up, a password reset or a challenge.
pub(crate) const WRONG_CODES_MAX: i32 = 5;

pub(crate) fn generate() -> SecretString {
    format!("{:08}", rand::random_range(0..100_000_000_u32)).into()
}

/// The hash that the database stores.
pub(crate) fn hash(purpose: impl Display, code: &SecretString) -> SecretHash {
    SecretHash::of(&format!("{purpose} {}", code.expose_secret()).into())
}

/// A sign-up or password reset that waits for its code.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) code_hash: SecretHash,
    pub(crate) wrong_codes: i32,
    pub(crate) is_expired: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CodeCheck {
    Correct,
    Wrong,
    /// Expired, or too many wrong codes: no code is accepted.
    Closed,
}

impl Waiting {
    pub(crate) fn check(&self, given: &SecretHash) -> CodeCheck {
        if self.is_expired || self.wrong_codes >= WRONG_CODES_MAX {
            return CodeCheck::Closed;
        }
        if self.code_hash.matches(given) { CodeCheck::Correct } else { CodeCheck::Wrong }
    }
}

#[cfg(test)]
mod tests {
    use kontor_types::ids::{PasswordResetId, SignUpId};

    use super::*;

    fn waiting(wrong_codes: i32, is_expired: bool) -> (Waiting, SecretHash) {
        let right = hash(SignUpId::generate(), &generate());
        (Waiting { code_hash: right.clone(), wrong_codes, is_expired }, right)
    }

    #[test]
    fn the_right_code_is_good_until_five_wrong_ones_or_the_end_of_its_time() {
        let check = |(waiting, right): (Waiting, SecretHash)| waiting.check(&right);
        assert_eq!(check(waiting(4, false)), CodeCheck::Correct);
        assert_eq!(check(waiting(5, false)), CodeCheck::Closed);
        assert_eq!(check(waiting(0, true)), CodeCheck::Closed);
    }

    #[test]
    fn the_same_code_of_another_sign_up_is_wrong() {
        let code = generate();
        let (mine, other) = (SignUpId::generate(), SignUpId::generate());
        let waiting = Waiting { code_hash: hash(mine, &code), wrong_codes: 0, is_expired: false };
        assert_eq!(waiting.check(&hash(other, &code)), CodeCheck::Wrong);
    }

    #[test]
    fn the_same_code_of_a_password_reset_is_wrong() {
        let (code, sign_up) = (generate(), SignUpId::generate());
        assert_ne!(hash(sign_up, &code), hash(PasswordResetId(sign_up.0), &code));
    }

    #[test]
    fn a_code_has_eight_digits() {
        for _ in 0..1000 {
            let code = generate();
            assert!(code.expose_secret().len() == 8 && code.expose_secret().bytes().all(|b| b.is_ascii_digit()));
        }
    }
}
