//! Revocations of access tokens, and the log of those that a process knows.

use std::collections::{HashSet, VecDeque};

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// How long a revocation counts, in seconds: longer than any access token lives, and than clocks differ.
pub(crate) const KEPT_SECONDS: i64 = 300 + 60;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Revocation {
    /// The session, or the key of a service account, that they carry as `sid`.
    pub(crate) sid: Uuid,
    pub(crate) expire_time: DateTime<Utc>,
}

/// What a subscriber of the feed receives.
#[derive(Clone, Debug)]
pub(crate) struct RevocationUpdate {
    /// The revocations that the subscriber has not received yet.
    pub(crate) revocations: Vec<Revocation>,
    pub(crate) kids: Vec<String>,
}

/// The revocations that count, each once, in the order in which this process learned of them.
#[derive(Debug, Default)]
pub(crate) struct Log {
    known: HashSet<Uuid>,
    entries: VecDeque<Revocation>,
    forgotten: usize,
}

impl Log {
    /// Adds those that are new, and returns them.
    pub(crate) fn add(&mut self, read: Vec<Revocation>) -> Vec<Revocation> {
        let new: Vec<_> = read.into_iter().filter(|revocation| self.known.insert(revocation.sid)).collect();
        self.entries.extend(&new);
        new
    }

    pub(crate) fn forget(&mut self, now: DateTime<Utc>) {
        while let Some(oldest) = self.entries.pop_front_if(|oldest| oldest.expire_time <= now) {
            self.known.remove(&oldest.sid);
            self.forgotten += 1;
        }
    }

    /// At most so many from a position on, the first of which is 0, and the position after them.
    pub(crate) fn since(&self, position: usize, max: usize) -> (Vec<Revocation>, usize) {
        let from = position.max(self.forgotten);
        let told: Vec<_> = self.entries.iter().skip(from - self.forgotten).take(max).copied().collect();
        let next = from + told.len();
        (told, next)
    }

    /// Whether there are entries from the position on.
    pub(crate) fn goes_on(&self, position: usize) -> bool {
        position < self.forgotten + self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revocation(sid: u128, seconds: i64) -> Revocation {
        Revocation { sid: Uuid::from_u128(sid), expire_time: at(seconds) }
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn each_is_told_once_from_wherever_a_reader_stands() {
        let (one, two, three) = (revocation(1, 10), revocation(2, 20), revocation(3, 30));
        let mut log = Log::default();
        assert_eq!(log.add(vec![one, two]), [one, two]);
        let position = log.since(0, 9).1;
        assert_eq!(log.add(vec![two, three]), [three], "read again");
        assert_eq!(log.since(0, 9), (vec![one, two, three], 3));
        assert_eq!(log.since(position, 9), (vec![three], 3));
        assert_eq!((log.since(3, 9), log.goes_on(2), log.goes_on(3)), ((vec![], 3), true, false));
        assert_eq!((log.since(0, 2), log.since(2, 2)), ((vec![one, two], 2), (vec![three], 3)), "in portions");
    }

    #[test]
    fn what_has_expired_is_forgotten_and_positions_stay() {
        let (one, two, three) = (revocation(1, 10), revocation(2, 20), revocation(3, 30));
        let mut log = Log::default();
        log.add(vec![one, two]);
        let position = log.since(0, 9).1;
        log.forget(at(20));
        assert_eq!(log.since(0, 9).0, []);
        assert_eq!(log.add(vec![three]), [three]);
        assert_eq!(log.since(position, 9).0, [three]);
        assert_eq!(log.since(0, 9), (vec![three], 3));
    }
}
