//! Recovery codes: 80 random bits each, in base32, each good once in place of an authenticator's code.

use secrecy::{ExposeSecret, SecretString};
use totp_rs::Secret;

use super::hash::SecretHash;
use super::totp::DIGITS;

/// How many codes an account gets.
pub(crate) const COUNT: usize = 10;
/// The random bytes of one: enough that a fast hash keeps it.
const BYTES: usize = 10;
/// The length of one in base32.
const LENGTH: usize = 16;
/// The length of the groups that it is shown in.
const GROUP: usize = 4;

pub(crate) fn generate() -> Vec<SecretString> {
    (0..COUNT).map(|_| grouped(&Secret::from(rand::random::<[u8; BYTES]>()).to_base32()).into()).collect()
}

/// The hash that the database stores.
pub(crate) fn hash(code: &SecretString) -> SecretHash {
    SecretHash::of(&plain(code))
}

/// A code that a user gave, by its form.
pub(crate) enum Given {
    Totp(SecretString),
    Recovery(SecretHash),
    Neither,
}

impl Given {
    pub(crate) fn read(code: &SecretString) -> Self {
        let plain = plain(code);
        let text = plain.expose_secret();
        if text.len() == usize::from(DIGITS) && text.bytes().all(|b| b.is_ascii_digit()) {
            Self::Totp(plain)
        } else if text.len() == LENGTH && text.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'2'..=b'7')) {
            Self::Recovery(SecretHash::of(&plain))
        } else {
            Self::Neither
        }
    }
}

fn grouped(text: &str) -> String {
    let group = |(n, c): (usize, char)| [(n > 0 && n % GROUP == 0).then_some('-'), Some(c)];
    text.chars().enumerate().flat_map(group).flatten().collect()
}

fn plain(code: &SecretString) -> SecretString {
    let counts = |c: &char| !c.is_whitespace() && *c != '-';
    code.expose_secret().chars().filter(counts).map(|c| c.to_ascii_uppercase()).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_four_groups_of_four_and_all_differ() {
        let codes = generate();
        assert_eq!(codes.len(), COUNT);
        for (n, code) in codes.iter().enumerate() {
            let groups: Vec<_> = code.expose_secret().split('-').map(str::len).collect();
            assert_eq!(groups, [4, 4, 4, 4], "{}", code.expose_secret());
            assert!(codes[..n].iter().all(|other| other.expose_secret() != code.expose_secret()));
        }
    }

    #[test]
    fn blanks_hyphens_and_case_do_not_count() {
        for code in generate() {
            for typed in [code.expose_secret().to_lowercase(), code.expose_secret().replace('-', " ")] {
                assert!(matches!(Given::read(&typed.into()), Given::Recovery(given) if given == hash(&code)));
            }
        }
        assert!(matches!(Given::read(&"123 456".into()), Given::Totp(code) if code.expose_secret() == "123456"));
    }

    #[test]
    fn what_is_neither_is_told() {
        for neither in ["", "12345", "1234567", "ABCD-EFGH-IJKL-MNO", "ABCD-EFGH-IJKL-MNO1", "１２３４５６"] {
            assert!(matches!(Given::read(&neither.into()), Given::Neither), "{neither}");
        }
    }
}
