//! Time as a parameter, so that tests can move it. Where rows are compared with time, the database's clock counts, not this.

use chrono::{DateTime, Utc};

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else takes as a parameter")]
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}
