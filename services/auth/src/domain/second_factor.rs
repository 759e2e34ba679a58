//! What else than the password an account asks for at sign-in.

use chrono::{DateTime, Utc};
use kontor_types::ids::UserId;
use secrecy::SecretString;

/// The second factor of a user.
#[derive(Clone, Debug)]
pub(crate) struct SecondFactor {
    pub(crate) user: UserId,
    pub(crate) state: State,
    pub(crate) recovery_codes_left: i64,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// There is none.
    Absent,
    /// It waits for its first code.
    Pending,
    /// It is asked for, since then.
    Active(DateTime<Utc>),
}

/// What an authenticator needs.
#[derive(Debug)]
pub(crate) struct Enrollment {
    /// In base32.
    pub(crate) secret: SecretString,
    /// As apps scan it.
    pub(crate) uri: SecretString,
}
