//! What a process died of.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

const SIGKILL: i32 = 9;
const SIGABRT: i32 = 6;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Death {
    Killed,
    Failpoint,
    /// It could not start, since the database was away.
    InVain,
    Unexpected,
}

/// From its exit status, and what it had to say in this life.
pub(super) fn of(status: ExitStatus, log: &str) -> Death {
    match status.signal() {
        Some(SIGKILL) => Death::Killed,
        Some(SIGABRT) if log.contains("dies at a failpoint") => Death::Failpoint,
        None if !status.success() && !log.contains(" listening ") && is_about_the_database(log) => Death::InVain,
        Some(_) | None => Death::Unexpected,
    }
}

/// The last words of a service that needs a database and has found none: connecting or migrating failed.
fn is_about_the_database(log: &str) -> bool {
    let words = log.lines().rev().find(|line| line.starts_with("kontor-")).unwrap_or_default();
    !words.is_empty() && !words.contains("can't listen")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signal(number: i32) -> ExitStatus {
        ExitStatus::from_raw(number)
    }

    fn code(number: i32) -> ExitStatus {
        ExitStatus::from_raw(number << 8)
    }

    #[test]
    fn only_what_the_test_did_is_expected() {
        assert_eq!(of(signal(SIGKILL), ""), Death::Killed);
        assert_eq!(of(signal(SIGABRT), "WARN dies at a failpoint failpoint=\"order.accept\""), Death::Failpoint);
        assert_eq!(of(signal(SIGABRT), "stack overflow"), Death::Unexpected);
        assert_eq!(of(signal(11), ""), Death::Unexpected);
        assert_eq!(of(code(0), "INFO listening name=\"order\""), Death::Unexpected, "nobody asked it to stop");
    }

    #[test]
    fn a_start_without_a_database_is_in_vain_and_one_that_had_begun_to_serve_is_not() {
        let refused = "kontor-order: the database can't be reached: Connection refused";
        assert_eq!(of(code(1), refused), Death::InVain);
        let served = format!("INFO listening name=\"order\"\n{refused}");
        assert_eq!(of(code(1), &served), Death::Unexpected);
        assert_eq!(of(code(1), "kontor-order: order can't listen on 127.0.0.1:1"), Death::Unexpected);
    }
}
