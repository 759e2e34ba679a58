//! The two conditions that keep a process from writing about an order that it no longer drives.

/// The saga has the claim's epoch and is not at rest: `$1` is the order, `$2` the epoch of the lease. A later epoch makes the statement
/// touch nothing, and so does an end that was written before, when only its acknowledgement was lost.
macro_rules! fenced {
    () => {
        "order_id = $1 AND epoch = $2 AND lease_until IS NOT NULL"
    };
}

/// The purchase has not ended yet.
macro_rules! unended {
    () => {
        "state = 'PROCESSING'"
    };
}

pub(super) use {fenced, unended};
