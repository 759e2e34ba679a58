//! The code that a sign-up or a password reset mails: eight digits. It is hashed together with the resource name of what
//! it is for, so that equal codes differ in the database and one is no good for anything else.

use std::fmt::Display;

use secrecy::{ExposeSecret, SecretString};

use super::hash::SecretHash;

/// How long a code is good, in seconds.
pub(crate) const LIFE_SECONDS: i64 = 30 * 60;
/// The wrong codes that end a sign-up, a password reset or a challenge.
pub(crate) const WRONG_CODES_MAX: i32 = 5;

/// A new code.
pub(crate) fn generate() -> SecretString {
    format!("{:08}", rand::random_range(0..100_000_000_u32)).into()
}

/// What the database keeps of it.
pub(crate) fn hash(purpose: impl Display, code: &SecretString) -> SecretHash {
    SecretHash::of(&format!("{purpose} {}", code.expose_secret()).into())
}

/// What waits for its code.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(crate) code_hash: SecretHash,
    pub(crate) wrong_codes: i32,
    pub(crate) is_expired: bool,
}

/// What a code does to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is the one that was mailed.
    Right,
    /// It is not, and counts.
    Wrong,
    /// No code is good any more.
    TooLate,
}

impl Waiting {
    /// Looks at a code.
    pub(crate) fn judge(&self, given: &SecretHash) -> Verdict {
        if self.is_expired || self.wrong_codes >= WRONG_CODES_MAX {
            return Verdict::TooLate;
        }
        if self.code_hash.matches(given) { Verdict::Right } else { Verdict::Wrong }
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
        let judge = |(waiting, right): (Waiting, SecretHash)| waiting.judge(&right);
        assert_eq!(judge(waiting(4, false)), Verdict::Right);
        assert_eq!(judge(waiting(5, false)), Verdict::TooLate);
        assert_eq!(judge(waiting(0, true)), Verdict::TooLate);
    }

    #[test]
    fn the_same_code_of_another_sign_up_is_wrong() {
        let code = generate();
        let (mine, other) = (SignUpId::generate(), SignUpId::generate());
        let waiting = Waiting { code_hash: hash(mine, &code), wrong_codes: 0, is_expired: false };
        assert_eq!(waiting.judge(&hash(other, &code)), Verdict::Wrong);
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
