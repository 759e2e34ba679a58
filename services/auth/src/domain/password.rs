//! Password rules: length, and no commonly used passwords (NIST SP 800-63B, section 5.1.1.2). There are no rules
//! about kinds of characters, since they make passwords worse.

use std::collections::HashSet;
use std::sync::LazyLock;

use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization;

use super::email::Email;

/// Fewest characters of a password that alone opens sessions.
const ALONE_MIN: usize = 15;
/// Fewest characters with a second factor.
const WITH_SECOND_FACTOR_MIN: usize = 8;
/// Most characters, so that hashing stays bounded.
const CHARACTERS_MAX: usize = 128;
/// A password that repeats so few characters over and over is no better than those few.
const REPEATED_MAX: usize = 4;

/// Passwords from breaches that are long enough: what people type who must reach a length. Lower case.
static COMMON: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

/// Why a password is refused. Each says what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WeakPassword {
    #[error("must have at least {0} characters; a few unrelated words do well")]
    Short(usize),
    #[error("must have at most 128 characters")]
    Long,
    #[error("is one of those that are tried first; choose another")]
    Common,
    #[error("is a plain sequence or repetition; choose another")]
    Simple,
    #[error("is the e-mail address; choose another")]
    Address,
}

/// The password as it is hashed: in normalization form KC (NIST SP 800-63B, section 5.1.1.2), since keyboards and systems write the same
/// letters in several ways.
pub(crate) fn normalized(password: &SecretString) -> SecretString {
    password.expose_secret().nfkc().collect::<String>().into()
}

/// Checks the length of a password.
pub(crate) fn check_length(password: &SecretString, has_second_factor: bool) -> Result<(), WeakPassword> {
    let min = if has_second_factor { WITH_SECOND_FACTOR_MIN } else { ALONE_MIN };
    match password.expose_secret().chars().count() {
        characters if characters < min => Err(WeakPassword::Short(min)),
        ..=CHARACTERS_MAX => Ok(()),
        _ => Err(WeakPassword::Long),
    }
}

/// Checks a password for the account of this address.
pub(crate) fn check(password: &SecretString, email: &Email, has_second_factor: bool) -> Result<(), WeakPassword> {
    check_length(password, has_second_factor)?;
    let lower = password.expose_secret().to_lowercase();
    let characters: Vec<char> = lower.chars().collect();
    if lower == email.lower() {
        Err(WeakPassword::Address)
    } else if COMMON.contains(lower.as_str()) {
        Err(WeakPassword::Common)
    } else if is_repetition(&characters) || is_sequence(&characters) {
        Err(WeakPassword::Simple)
    } else {
        Ok(())
    }
}

fn is_repetition(characters: &[char]) -> bool {
    (1..=REPEATED_MAX).any(|n| characters.iter().zip(characters.iter().skip(n)).all(|(a, b)| a == b))
}

/// "abcdefghijklmno", "098765432109876".
fn is_sequence(characters: &[char]) -> bool {
    let pairs = || characters.iter().zip(characters.iter().skip(1));
    pairs().all(|(a, b)| follows(*a, *b)) || pairs().all(|(a, b)| follows(*b, *a))
}

fn follows(a: char, b: char) -> bool {
    (a == '9' && b == '0') || (a == 'z' && b == 'a') || u32::from(a) + 1 == u32::from(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(password: &str) -> Result<(), WeakPassword> {
        check(&password.into(), &Email::parse("Ada.Lovelace@example.org").unwrap(), false)
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert_eq!(checked("correct horse battery"), Ok(()));
        assert_eq!(checked("vierzehn Zeich"), Err(WeakPassword::Short(15)));
        assert_eq!(checked("fünfzehn Zeichn"), Ok(()));
        assert_eq!(checked("äöüäöüäßöüäö"), Err(WeakPassword::Short(15)));
        assert_eq!(checked(&"correct horse ".repeat(9)), Ok(()));
        assert_eq!(checked(&"correct horse ".repeat(10)), Err(WeakPassword::Long));
    }

    #[test]
    fn one_password_has_one_spelling() {
        let normal = |text: &str| normalized(&text.into()).expose_secret().to_owned();
        assert_eq!(normal("cafe\u{301}"), normal("caf\u{e9}"));
        assert_eq!(normal("\u{ff41}\u{fb01}"), "afi");
        assert_eq!(normal("plain words"), "plain words");
    }

    #[test]
    fn with_a_second_factor_eight_characters_do() {
        let checked = |password: &str| check(&password.into(), &Email::parse("a@bc.de").unwrap(), true);
        assert_eq!(checked("x7!Qt-2p"), Ok(()));
        assert_eq!(checked("x7!Qt-2"), Err(WeakPassword::Short(8)));
        assert_eq!(checked("12345678"), Err(WeakPassword::Simple));
        assert_eq!(checked("Iloveyou"), Err(WeakPassword::Common));
    }

    #[test]
    fn the_address_is_no_password_in_any_case() {
        assert_eq!(checked("ada.lovelace@EXAMPLE.org"), Err(WeakPassword::Address));
    }

    #[test]
    fn what_is_tried_first_is_refused() {
        assert_eq!(checked("PasswordPassword"), Err(WeakPassword::Common));
        assert_eq!(checked("qwertyuiopasdfgh"), Err(WeakPassword::Common));
    }

    #[test]
    fn sequences_and_repetitions_are_refused() {
        for simple in ["aaaaaaaaaaaaaaa", "abcabcabcabcabc", "123412341234123", "abcdefghijklmnop", "1234567890123456"]
        {
            assert_eq!(checked(simple), Err(WeakPassword::Simple), "{simple}");
        }
        for simple in ["ponmlkjihgfedcba", "6543210987654321", "xyzabcdefghijklm"] {
            assert_eq!(checked(simple), Err(WeakPassword::Simple), "{simple}");
        }
    }

    #[test]
    fn the_list_has_only_what_the_other_rules_let_through() {
        assert!(COMMON.len() >= 100, "{}", COMMON.len());
        for word in COMMON.iter() {
            assert_eq!(*word, word.to_lowercase());
            let characters: Vec<char> = word.chars().collect();
            assert!(characters.len() >= WITH_SECOND_FACTOR_MIN, "{word} is refused for its length");
            assert!(!is_repetition(&characters) && !is_sequence(&characters), "{word} is refused as simple");
        }
    }
}
