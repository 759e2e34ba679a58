//! What a payment token makes the sandbox do.

/// What the sandbox does with an authorisation. Payment tokens choose it; from then on the token itself is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behaviour {
    /// `tok_approve`: approves.
    Approve,
    /// `tok_decline`: declines.
    Decline,
    /// `tok_slow`: approves after two seconds.
    Slow,
    /// `tok_error_before`: fails once before anything is done, then approves.
    ErrorBefore,
    /// `tok_error_after`: approves, and loses the first answer in an error.
    ErrorAfter,
    /// `tok_timeout`: approves, and never gives the first answer.
    Timeout,
    /// `tok_review`: puts it before a person, who approves after five seconds.
    Review,
    Unknown,
}

impl Behaviour {
    const ALL: [Self; 8] = [
        Self::Approve,
        Self::Decline,
        Self::Slow,
        Self::ErrorBefore,
        Self::ErrorAfter,
        Self::Timeout,
        Self::Review,
        Self::Unknown,
    ];

    pub(crate) fn of_token(token: &str) -> Self {
        token.strip_prefix("tok_").and_then(Self::from_word).unwrap_or(Self::Unknown)
    }

    /// Its name: the token's, without `tok_`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Decline => "decline",
            Self::Slow => "slow",
            Self::ErrorBefore => "error_before",
            Self::ErrorAfter => "error_after",
            Self::Timeout => "timeout",
            Self::Review => "review",
            Self::Unknown => "unknown",
        }
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|behaviour| behaviour.word() == word)
    }
}
