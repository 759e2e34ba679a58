//! Whether what was answered is what is there. Each area looks at [`Found`] only, and does nothing but compare.

mod events;
mod found;
mod history;
mod journal;
mod logs;
mod orders;
mod payments;
mod refunds;
mod rows;
#[cfg(test)]
mod sound;
mod stock;
mod told;

pub(crate) use found::Found;
pub(crate) use journal::read as read_journal;
pub(crate) use logs::read as read_logs;
pub(crate) use rows::{Rows, event_counts, processing};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// Which promise is broken, in a few words.
    pub(crate) promise: &'static str,
    pub(crate) what: String,
}

#[derive(Debug, Default)]
struct Violations(Vec<Violation>);

impl Violations {
    fn add(&mut self, promise: &'static str, what: impl Into<String>) {
        self.0.push(Violation { promise, what: what.into() });
    }

    /// Adds one unless this holds.
    fn holds(&mut self, holds: bool, promise: &'static str, what: impl FnOnce() -> String) {
        if !holds {
            self.add(promise, what());
        }
    }
}

pub(crate) fn check(found: &Found) -> Vec<Violation> {
    let mut violations = Violations::default();
    for area in [
        stock::check,
        payments::check,
        orders::check,
        refunds::check,
        told::check,
        events::check,
        history::check,
        logs::check,
    ] {
        area(found, &mut violations);
    }
    violations.0
}
