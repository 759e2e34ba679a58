//! What is measured of stock.

use std::sync::LazyLock;

use opentelemetry::global;
use opentelemetry::metrics::Counter;

static STOCK_CONFLICTS: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("kontor_catalog")
        .u64_counter("kontor.catalog.stock.conflicts")
        .with_unit("{conflict}")
        .with_description("Reservations refused for lack of stock.")
        .build()
});

pub(crate) fn stock_conflict() {
    STOCK_CONFLICTS.add(1, &[]);
}
