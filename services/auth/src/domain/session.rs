//! Sessions of signed-in users, and their tokens.

use std::fmt;

use chrono::{DateTime, Utc};
use kontor_types::ids::{NameError, SessionId, UserId, canonical};
use secrecy::SecretString;

#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) name: SessionName,
    /// Empty if it is not known.
    pub(crate) address: String,
    pub(crate) user_agent: String,
    pub(crate) create_time: DateTime<Utc>,
    pub(crate) refresh_time: DateTime<Utc>,
    pub(crate) expire_time: DateTime<Utc>,
}

/// An access token of a user or a service account.
#[derive(Debug)]
pub(crate) struct AccessToken {
    pub(crate) token: SecretString,
    pub(crate) expire_time: DateTime<Utc>,
}

#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) access: AccessToken,
    pub(crate) refresh: SecretString,
}

/// Named below its user: `users/{uuid}/sessions/{uuid}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SessionName {
    pub(crate) user: UserId,
    pub(crate) id: SessionId,
}

impl SessionName {
    /// The two parts of a name: the user, who may be `users/me`, and the session.
    pub(crate) fn split(name: &str) -> Result<(&str, SessionId), NameError> {
        let error = NameError("users/{uuid}/sessions");
        let (user, id) = name.split_once("/sessions/").ok_or_else(|| error.clone())?;
        Ok((user, SessionId(canonical(id).ok_or(error)?)))
    }
}

impl fmt::Display for SessionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.user, self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        let name = SessionName { user: UserId::generate(), id: SessionId::generate() };
        let text = name.to_string();
        assert_eq!(SessionName::split(&text), Ok((name.user.to_string().as_str(), name.id)));
        assert!(SessionName::split(&text.to_uppercase()).is_err() && SessionName::split("users/me").is_err());
    }
}
