//! Whole transactions repeated after a conflict with another one.

use std::time::Duration;

use crate::error::has_state;
use crate::metrics;

/// How often a transaction is tried in all.
const MAX_ATTEMPTS: u32 = 5;
/// The longest pause before the second attempt; it doubles for each further one.
const FIRST_PAUSE_MS: u64 = 10;

/// Tells errors that go away when the whole transaction is run again.
pub trait Transient {
    /// Whether nothing was done and the same transaction may succeed next time.
    fn is_transient(&self) -> bool;
}

impl Transient for sqlx::Error {
    /// Serialization failure (40001) and deadlock (40P01). A lost connection is neither: the
    /// commit may have happened.
    fn is_transient(&self) -> bool {
        has_state(self, &["40001", "40P01"])
    }
}

/// Runs a whole transaction, again if it lost against another one, at most five times.
///
/// `attempt` begins and commits by itself, and must not do anything else that cannot be repeated.
/// `name` says in the log and in metrics which transaction it was.
///
/// # Errors
/// The first error that is not transient, or the last transient one.
pub async fn retry<T, E, F, Fut>(name: &'static str, mut attempt: F) -> Result<T, E>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
    E: Transient,
{
    for tried in 1..MAX_ATTEMPTS {
        let outcome = attempt().await;
        if !lost(&outcome) {
            return outcome;
        }
        tracing::debug!(transaction = name, tried, "transaction lost a conflict, trying again");
        metrics::transaction_retried(name);
        tokio::time::sleep(pause(tried)).await;
    }
    let last = attempt().await;
    if lost(&last) {
        tracing::warn!(transaction = name, tried = MAX_ATTEMPTS, "transaction given up");
    }
    last
}

fn lost<T, E: Transient>(outcome: &Result<T, E>) -> bool {
    outcome.as_ref().is_err_and(Transient::is_transient)
}

/// Half to all of an exponential pause, so that those who collided do not meet again.
fn pause(tried: u32) -> Duration {
    let longest = FIRST_PAUSE_MS << (tried - 1);
    Duration::from_millis(rand::random_range(longest / 2..=longest))
}
