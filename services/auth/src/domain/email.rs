//! E-mail addresses, compared without regard to case.

use std::fmt;

#[derive(Clone, Debug)]
pub(crate) struct Email(String);

#[derive(Debug, thiserror::Error)]
#[error("is no e-mail address")]
pub(crate) struct EmailError;

impl Email {
    /// Requires one "@" with text on both sides, and no blanks. The mail server checks the rest.
    pub(crate) fn parse(text: &str) -> Result<Self, EmailError> {
        let (local, domain) = text.split_once('@').ok_or(EmailError)?;
        let blank = |c: char| c.is_whitespace() || c.is_control();
        if local.is_empty() || domain.is_empty() || domain.contains('@') || text.contains(blank) || text.len() > 254 {
            return Err(EmailError);
        }
        Ok(Self(text.to_owned()))
    }

    pub(crate) fn as_given(&self) -> &str {
        &self.0
    }

    pub(crate) fn lower(&self) -> String {
        self.0.to_lowercase()
    }
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
    use super::Email;

    #[test]
    fn an_address_has_one_at_sign_with_something_on_both_sides() {
        assert_eq!(Email::parse("Ada@Example.org").unwrap().lower(), "ada@example.org");
        for bad in ["", "ada", "@example.org", "ada@", "a@b@c", "a b@c", "a@b\n"] {
            assert!(Email::parse(bad).is_err(), "{bad:?}");
        }
    }
}
