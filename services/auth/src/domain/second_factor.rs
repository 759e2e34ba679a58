//! The second factor that an account requires at sign-in.

use chrono::{DateTime, Utc};
use kontor_types::ids::UserId;
use secrecy::SecretString;

#[derive(Clone, Debug)]
pub(crate) struct SecondFactor {
    pub(crate) user: UserId,
    pub(crate) state: State,
    pub(crate) recovery_codes_left: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Absent,
    /// Enrolled, without a first code.
    Pending,
    /// Required at sign-in, since this time.
    Active(DateTime<Utc>),
}

/// What an authenticator app needs.
#[derive(Debug)]
pub(crate) struct Enrollment {
    /// In base32.
    pub(crate) secret: SecretString,
    /// The URI that apps scan as a QR code.
    pub(crate) uri: SecretString,
}
