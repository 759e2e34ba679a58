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
    Pending,
    /// Required at sign-in, since this time.
    Active(DateTime<Utc>),
}

#[derive(Debug)]
pub(crate) struct Enrollment {
    pub(crate) secret: SecretString,
    /// The URI that apps scan as a QR code.
    pub(crate) uri: SecretString,
}
