//! The two conditions that keep a process from writing about an order that is not its own any more. They stand
//! here once; beside each, what the mutant without it makes of it.

/// The saga is the claim's, and not at rest: `$1` is the order, `$2` the epoch of the lease. A later epoch makes the statement touch
/// nothing, and so does an end that was written before, when only its acknowledgement was lost.
#[cfg(not(feature = "failpoints"))]
macro_rules! fenced {
    () => {
        "order_id = $1 AND epoch = $2 AND lease_until IS NOT NULL"
    };
}

/// The purchase has not ended yet.
#[cfg(not(feature = "failpoints"))]
macro_rules! unended {
    () => {
        "state = 'PROCESSING'"
    };
}

/// As above; the mutant without fencing binds an epoch below zero, which lets everyone write.
#[cfg(feature = "failpoints")]
macro_rules! fenced {
    () => {
        "order_id = $1 AND (epoch = $2 AND lease_until IS NOT NULL OR $2 < 0)"
    };
}

/// As above; the mutant without fencing ends what has ended.
#[cfg(feature = "failpoints")]
macro_rules! unended {
    () => {
        "(state = 'PROCESSING' OR current_setting('application_name') = 'no-fencing')"
    };
}

pub(super) use {fenced, unended};
