//! Instruments of what every service does with Postgres. Names follow OpenTelemetry's semantic conventions for database clients.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use opentelemetry::metrics::{AsyncInstrument, Counter, Gauge, Histogram, Meter};
use opentelemetry::{KeyValue, global};

use crate::pool::{PoolUsage, usage_by_name};

/// Bounds of the buckets of durations, in seconds: those that the semantic conventions advise.
pub const DURATION_BOUNDS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

fn meter() -> Meter {
    global::meter("kontor_postgres")
}

static WAIT_TIME: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    meter()
        .f64_histogram("db.client.connection.wait_time")
        .with_unit("s")
        .with_description("How long calls waited for a connection of the pool.")
        .with_boundaries(DURATION_BOUNDS.to_vec())
        .build()
});

static TIMEOUTS: LazyLock<Counter<u64>> = LazyLock::new(|| {
    meter()
        .u64_counter("db.client.connection.timeouts")
        .with_unit("{timeout}")
        .with_description("Calls that got no connection in time.")
        .build()
});

static RETRIES: LazyLock<Counter<u64>> = LazyLock::new(|| {
    meter()
        .u64_counter("kontor.db.transaction.retries")
        .with_unit("{retry}")
        .with_description("Transactions run again after they lost a conflict with another one.")
        .build()
});

static OUTBOX_PENDING: LazyLock<Gauge<i64>> = LazyLock::new(|| {
    meter()
        .i64_gauge("kontor.outbox.pending")
        .with_unit("{event}")
        .with_description("Events without a position, of all replicas together; counted up to 10,000.")
        .build()
});

static OUTBOX_LAG: LazyLock<Gauge<f64>> = LazyLock::new(|| {
    meter()
        .f64_gauge("kontor.outbox.lag")
        .with_unit("s")
        .with_description("Age of the oldest event without a position; 0 if there is none.")
        .build()
});

/// The attribute of a pool's instruments.
pub(crate) fn pool_name(name: &str) -> KeyValue {
    KeyValue::new("db.client.connection.pool.name", name.to_owned())
}

pub(crate) fn connection_acquired(pool: &KeyValue, waited: Duration) {
    WAIT_TIME.record(waited.as_secs_f64(), std::slice::from_ref(pool));
}

pub(crate) fn connection_timed_out(pool: &KeyValue) {
    TIMEOUTS.add(1, std::slice::from_ref(pool));
}

pub(crate) fn transaction_retried(name: &'static str) {
    RETRIES.add(1, &[KeyValue::new("kontor.transaction.name", name)]);
}

pub(crate) fn outbox_measured(service: &str, pending: i64, lag_seconds: f64) {
    let service = [KeyValue::new("kontor.service", service.to_owned())];
    OUTBOX_PENDING.record(pending, &service);
    OUTBOX_LAG.record(lag_seconds, &service);
}

/// Has the pools of the process observed whenever metrics are read. Pools of one name count together.
pub(crate) fn observe_pools() {
    static ONCE: LazyLock<()> = LazyLock::new(|| {
        meter()
            .i64_observable_up_down_counter("db.client.connection.count")
            .with_unit("{connection}")
            .with_description("Open connections of the pool, by state.")
            .with_callback(observe_count)
            .build();
        observe("db.client.connection.max", "{connection}", "Most connections that the pool may open.", |pool| {
            pool.max
        });
        let help = "Calls that wait for a connection of the pool.";
        observe("db.client.connection.pending_requests", "{request}", help, |pool| pool.pending);
    });
    LazyLock::force(&ONCE);
}

fn observe_count(observer: &dyn AsyncInstrument<i64>) {
    for (name, pool) in usage_by_name() {
        for (state, value) in [("used", pool.used), ("idle", pool.idle)] {
            observer.observe(value, &[pool_name(&name), KeyValue::new("db.client.connection.state", state)]);
        }
    }
}

fn observe(name: &'static str, unit: &'static str, help: &'static str, value: fn(&PoolUsage) -> i64) {
    let meter = meter();
    let counter = meter.i64_observable_up_down_counter(name).with_unit(unit).with_description(help);
    let observe_all = move |observer: &dyn AsyncInstrument<i64>| {
        let pools: BTreeMap<String, PoolUsage> = usage_by_name();
        pools.iter().for_each(|(name, pool)| observer.observe(value(pool), &[pool_name(name)]));
    };
    counter.with_callback(observe_all).build();
}
