//! E-mail addresses, in one spelling each: the local part as RFC 5321 and RFC 6531 have it without quotes, in normalization form C; the
//! domain in A-labels (RFC 5890) and lower case. What is stored is what mail is sent to. They are compared without regard to case.

use std::fmt;

use unicode_normalization::UnicodeNormalization;
use url::Host;

/// The most bytes of an address, and of the part before the "@" (RFC 5321, section 4.5.3.1).
const ADDRESS_MAX: usize = 254;
const LOCAL_MAX: usize = 64;
/// What a local part may have besides letters, digits and dots (RFC 5322, `atext`).
const LOCAL_SIGNS: &str = "!#$%&'*+-/=?^_`{|}~";

#[derive(Clone, Debug)]
pub(crate) struct Email(String);

/// Why a text is no address that mail can be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EmailError {
    #[error("is no e-mail address such as ada@example.org")]
    Malformed,
    #[error("must not hold blanks or characters that can't be seen")]
    Invisible,
}

impl Email {
    /// The address in its one spelling.
    pub(crate) fn parse(text: &str) -> Result<Self, EmailError> {
        if text.chars().any(is_invisible) {
            return Err(EmailError::Invisible);
        }
        let (local, domain) = text.split_once('@').ok_or(EmailError::Malformed)?;
        let local: String = local.nfc().collect();
        let domain = domain_in_ascii(domain).ok_or(EmailError::Malformed)?;
        let email = format!("{local}@{domain}");
        if !is_local(&local) || email.len() > ADDRESS_MAX {
            return Err(EmailError::Malformed);
        }
        Ok(Self(email))
    }

    /// What accounts are looked up by. A text that is no address has no account, and is looked up all the same, so that it takes as long.
    pub(crate) fn lookup_key(text: &str) -> String {
        Self::parse(text).map_or_else(|_| text.to_lowercase(), |email| email.lower())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn lower(&self) -> String {
        self.0.to_lowercase()
    }

    /// The mailbox that it reaches, as far as one can tell: with most providers, what follows a "+" is a tag.
    pub(crate) fn mailbox(&self) -> String {
        let lower = self.lower();
        match lower.split_once('@') {
            Some((local, domain)) => format!("{}@{domain}", local.split('+').next().unwrap_or(local)),
            None => lower,
        }
    }
}

fn domain_in_ascii(domain: &str) -> Option<String> {
    match Host::parse(domain) {
        Ok(Host::Domain(ascii)) if ascii.split('.').all(|label| !label.is_empty()) => Some(ascii),
        Ok(Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_)) | Err(_) => None,
    }
}

fn is_local(local: &str) -> bool {
    let is_allowed =
        |letter: char| !letter.is_ascii() || letter.is_ascii_alphanumeric() || LOCAL_SIGNS.contains(letter);
    local.len() <= LOCAL_MAX && local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_allowed))
}

/// Blanks, controls, and what Unicode calls default ignorable: soft hyphens, zero-width letters, marks of direction, tags.
fn is_invisible(letter: char) -> bool {
    letter.is_whitespace()
        || letter.is_control()
        || matches!(
            letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
                | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
        )
}

impl TryFrom<String> for Email {
    type Error = EmailError;

    fn try_from(text: String) -> Result<Self, EmailError> {
        Self::parse(&text)
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_mail_can_not_be_sent_to_is_refused() {
        for bad in [
            "",
            "ada",
            "@example.org",
            "ada@",
            "a@b@c",
            "a..b@x",
            ".a@x",
            "a.@x",
            "a;b@x",
            "<a@b>",
            "a@b>",
            "a@b.example.",
            "a@b..c",
            "a@.b",
            "\"a\"@c",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "a:b@c",
            "a,b@c",
            "a@b/c",
            "a@b:25",
        ] {
            assert_eq!(Email::parse(bad).unwrap_err(), EmailError::Malformed, "{bad:?}");
        }
        let (local, domain) = ("a".repeat(65), format!("{}.example", "a.".repeat(130)));
        assert!(
            Email::parse(&format!("{local}@example.org")).is_err() && Email::parse(&format!("a@{domain}")).is_err()
        );
    }

    #[test]
    fn what_can_not_be_seen_is_refused() {
        for bad in ["a b@c", "a@b\n", " a@b", "a\u{ad}@b", "a@b\u{ad}c", "a\u{200b}@b", "\u{202e}a@b", "a\0@b"] {
            assert_eq!(Email::parse(bad).unwrap_err(), EmailError::Invisible, "{bad:?}");
        }
    }

    #[test]
    fn an_address_has_one_spelling() {
        for (given, one) in [
            ("Ada@Example.org", "Ada@example.org"),
            ("ada@b\u{fc}cher.example", "ada@xn--bcher-kva.example"),
            ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
            ("ada@\u{ff45}xample.org", "ada@example.org"),
            ("jose\u{301}@example.org", "jos\u{e9}@example.org"),
            ("o'hara+tag@example.org", "o'hara+tag@example.org"),
        ] {
            let email = Email::parse(given).unwrap();
            assert_eq!(email.as_str(), one);
            assert_eq!(Email::parse(email.as_str()).unwrap().as_str(), one, "it stays so");
        }
        assert_eq!(Email::lookup_key("ADA@B\u{dc}CHER.example"), "ada@xn--bcher-kva.example");
        assert_eq!(Email::lookup_key("No Address"), "no address");
    }

    #[test]
    fn tags_are_no_mailboxes_of_their_own() {
        for given in ["ada@example.org", "Ada+1@example.org", "ada+2+3@EXAMPLE.org"] {
            assert_eq!(Email::parse(given).unwrap().mailbox(), "ada@example.org");
        }
    }
}
