//! What becomes of a mail after an attempt to send it.

use std::time::Duration;

/// How long the lease on a mail lasts, in seconds: longer than sending may take.
pub(crate) const LEASE_SECONDS: i64 = 60;
pub(crate) const SEND_MAX: Duration = Duration::from_secs(20);
/// The most attempts: with the pauses between them, about a day.
const ATTEMPTS_MAX: i32 = 200;
/// The pause after the first attempt; it doubles with each.
const FIRST_PAUSE_MS: u64 = 1000;
const PAUSE_MAX_MS: u64 = 10 * 60 * 1000;
/// The longest reason that is kept, in characters.
const REASON_MAX: usize = 200;

/// Why a mail was not accepted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// For now; a later attempt may succeed.
    Later(String),
    Never(String),
}

/// What to do with a mail.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Sent,
    Again(Duration, String),
    GiveUp(String),
}

/// Decides after an attempt. `dice` is a random number, so that replicas that failed together do not retry together.
pub(crate) fn decide(attempts: i32, outcome: Result<(), Refusal>, dice: u64) -> Next {
    match outcome {
        Ok(()) => Next::Sent,
        Err(Refusal::Later(reason)) if attempts < ATTEMPTS_MAX => Next::Again(pause(attempts, dice), reason),
        Err(Refusal::Later(reason)) => Next::GiveUp(format!("after {attempts} attempts: {reason}")),
        Err(Refusal::Never(reason)) => Next::GiveUp(reason),
    }
}

/// Half to all of an exponential pause.
fn pause(attempts: i32, dice: u64) -> Duration {
    let doublings = u32::try_from(attempts.clamp(1, 20) - 1).unwrap_or_default();
    let longest = (FIRST_PAUSE_MS << doublings).min(PAUSE_MAX_MS);
    Duration::from_millis(longest / 2 + dice % (longest / 2 + 1))
}

/// A reason as it is stored and logged: one short line. It is left out if the mail server quotes a code of the mail.
pub(crate) fn reason(told: &str, body: &str) -> String {
    let is_quoted = body.split(|c: char| !c.is_alphanumeric()).any(|word| is_like_a_code(word) && told.contains(word));
    if is_quoted {
        return "refused, in words that quote the mail".into();
    }
    let line: String = told.chars().map(|c| if c.is_control() { ' ' } else { c }).take(REASON_MAX).collect();
    line.trim().to_owned()
}

fn is_like_a_code(word: &str) -> bool {
    word.len() >= 6 && word.bytes().any(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_from_a_second_to_ten_minutes_and_are_half_to_all_of_that() {
        for (attempts, longest) in [(1, 1), (2, 2), (3, 4), (10, 512), (11, 600), (150, 600), (i32::MAX, 600)] {
            let longest = Duration::from_secs(longest);
            for dice in [0, 1, 499, 500, 12_345, u64::MAX] {
                let pause = pause(attempts, dice);
                assert!(longest / 2 <= pause && pause <= longest, "{attempts} {dice}: {pause:?}");
            }
            assert!(pause(attempts, 0) < pause(attempts, 500));
        }
    }

    #[test]
    fn attempts_go_on_for_about_a_day() {
        let all: Duration =
            (1..ATTEMPTS_MAX).map(|attempts| pause(attempts, u64::from(attempts.unsigned_abs()) * 7919)).sum();
        assert!(Duration::from_secs(18 * 3600) < all && all < Duration::from_secs(34 * 3600), "{all:?}");
    }

    #[test]
    fn what_may_be_taken_later_is_tried_again_until_there_were_too_many_attempts() {
        let later = || Err(Refusal::Later("451 busy".into()));
        assert_eq!(decide(1, Ok(()), 0), Next::Sent);
        assert_eq!(decide(1, later(), 0), Next::Again(Duration::from_millis(500), "451 busy".into()));
        assert!(matches!(decide(ATTEMPTS_MAX - 1, later(), 0), Next::Again(..)));
        assert_eq!(decide(ATTEMPTS_MAX, later(), 0), Next::GiveUp("after 200 attempts: 451 busy".into()));
        assert_eq!(decide(1, Err(Refusal::Never("550 no".into())), 0), Next::GiveUp("550 no".into()));
    }

    #[test]
    fn a_reason_is_one_short_line_and_quotes_no_code() {
        let body = "Your code is 12345678\n\nhttps://shop.example/#signUp=signUps/0192-ab&code=12345678\n";
        assert_eq!(reason("550 5.1.1 no such user\r\nX: y", body), "550 5.1.1 no such user  X: y");
        assert_eq!(reason(&"ä".repeat(1000), body), "ä".repeat(200));
        assert!(!reason("554 spam: 'Your code is 12345678'", body).contains("1234"));
        assert!(!reason("554 spam: code=12345678", body).contains("1234"));
    }
}
