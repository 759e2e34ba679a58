//! Challenges: the password was correct, and a code of the second factor is required too.

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use super::code::WRONG_CODES_MAX;

/// How long a challenge can be answered, in seconds.
pub(crate) const LIFE_SECONDS: i64 = 5 * 60;

/// A challenge, as the user gets it. The token comes back with the code.
#[derive(Debug)]
pub(crate) struct Challenge {
    pub(crate) token: SecretString,
    pub(crate) expire_time: DateTime<Utc>,
}

/// A challenge as it waits for its code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    pub(crate) wrong_codes: i32,
    pub(crate) is_expired: bool,
}

impl Waiting {
    /// Whether a code is still checked.
    pub(crate) fn is_open(self) -> bool {
        !self.is_expired && self.wrong_codes < WRONG_CODES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_wrong_codes_or_the_end_of_its_time_end_it() {
        assert!(Waiting { wrong_codes: 4, is_expired: false }.is_open());
        assert!(!Waiting { wrong_codes: 5, is_expired: false }.is_open());
        assert!(!Waiting { wrong_codes: 0, is_expired: true }.is_open());
    }
}
