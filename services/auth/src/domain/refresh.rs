//! Refresh tokens: each is good once (RFC 9700, section 4.14).
//!
//! A used one that comes again is either a client that lost the answer, or two parties with the same token. Soon
//! after, and before anybody has used the successor, it is taken for a lost answer: the client gets another successor
//! and the first one ends. Else it is taken for theft, and the session ends.

use super::hash::SecretHash;

/// How long a session lives without a refresh, in seconds.
pub(crate) const SESSION_SECONDS: i64 = 30 * 24 * 60 * 60;
/// How long after its use a token may come again, in seconds.
pub(crate) const REPEAT_SECONDS: i64 = 10;

#[derive(Clone, Debug)]
pub(crate) struct RefreshToken {
    pub(crate) used: Option<Used>,
}

/// How a token was used, or ended.
#[derive(Clone, Debug)]
pub(crate) struct Used {
    /// Less than [`REPEAT_SECONDS`] ago.
    pub(crate) is_recent: bool,
    /// None if the token was ended unused.
    pub(crate) successor: Option<Successor>,
}

#[derive(Clone, Debug)]
pub(crate) struct Successor {
    pub(crate) hash: SecretHash,
    pub(crate) is_used: bool,
}

/// What to do with a token that a client sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Rotate,
    /// Replace it again, and end this first successor.
    RotateAgain(SecretHash),
    /// Refuse it. It was ended a moment ago; one of two calls at once may have got it.
    Refuse,
    /// Refuse it and end the session.
    Revoke,
}

impl RefreshToken {
    pub(crate) fn judge(&self) -> Verdict {
        match &self.used {
            None => Verdict::Rotate,
            Some(Used { is_recent: false, .. }) => Verdict::Revoke,
            Some(Used { successor: None, .. }) => Verdict::Refuse,
            Some(Used { successor: Some(Successor { is_used: true, .. }), .. }) => Verdict::Revoke,
            Some(Used { successor: Some(successor), .. }) => Verdict::RotateAgain(successor.hash.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(is_recent: bool, successor_is_used: Option<bool>) -> Verdict {
        let successor = successor_is_used.map(|is_used| Successor { hash: SecretHash(vec![7]), is_used });
        RefreshToken { used: Some(Used { is_recent, successor }) }.judge()
    }

    #[test]
    fn an_unused_token_is_good() {
        assert_eq!(RefreshToken { used: None }.judge(), Verdict::Rotate);
    }

    #[test]
    fn a_token_used_a_moment_ago_is_a_lost_answer_while_its_successor_is_unused() {
        assert_eq!(used(true, Some(false)), Verdict::RotateAgain(SecretHash(vec![7])));
        assert_eq!(used(true, Some(true)), Verdict::Revoke);
    }

    #[test]
    fn a_token_ended_a_moment_ago_is_refused_and_does_no_more_harm() {
        assert_eq!(used(true, None), Verdict::Refuse);
    }

    #[test]
    fn any_used_token_that_comes_late_ends_the_session() {
        for successor in [None, Some(false), Some(true)] {
            assert_eq!(used(false, successor), Verdict::Revoke);
        }
    }
}
