//! What is measured of Postgres: by a process of its own, whose meter provider is there before anything is measured.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that can't go on fails")]

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use kontor_postgres::outbox::{Event, Feed, append};
use kontor_postgres::testing::{TestDatabase, role, server};
use kontor_postgres::{Migrations, Pool, PoolOptions, Transient, connect, migrate, retry};
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

struct Meters {
    provider: SdkMeterProvider,
    exporter: InMemoryMetricExporter,
}

static METERS: LazyLock<Meters> = LazyLock::new(|| {
    let exporter = InMemoryMetricExporter::default();
    let provider = SdkMeterProvider::builder().with_periodic_exporter(exporter.clone()).build();
    opentelemetry::global::set_meter_provider(provider.clone());
    Meters { provider, exporter }
});

/// The newest value of a metric with this attribute, and these words in its other attributes: of a histogram, how many values it has.
fn measured(name: &str, attribute: &str, words: &str) -> Option<f64> {
    METERS.provider.force_flush().unwrap();
    let exports = METERS.exporter.get_finished_metrics().unwrap();
    let scopes = exports.iter().rev().flat_map(|export| export.scope_metrics());
    let metric = scopes.flat_map(|scope| scope.metrics()).find(|metric| metric.name() == name)?;
    let is_it = |attributes: &mut dyn Iterator<Item = &opentelemetry::KeyValue>| {
        let all: Vec<_> = attributes.map(|kv| format!("{}={}", kv.key, kv.value)).collect();
        all.iter().any(|text| text == attribute) && all.join(",").contains(words)
    };
    match metric.data() {
        AggregatedMetrics::F64(MetricData::Histogram(data)) => {
            data.data_points().find(|point| is_it(&mut point.attributes())).map(|point| point.count() as f64)
        }
        AggregatedMetrics::F64(MetricData::Gauge(data)) => {
            data.data_points().find(|point| is_it(&mut point.attributes())).map(|point| point.value())
        }
        AggregatedMetrics::I64(MetricData::Gauge(data)) => {
            data.data_points().find(|point| is_it(&mut point.attributes())).map(|point| point.value() as f64)
        }
        AggregatedMetrics::I64(MetricData::Sum(data)) => {
            data.data_points().find(|point| is_it(&mut point.attributes())).map(|point| point.value() as f64)
        }
        AggregatedMetrics::U64(MetricData::Sum(data)) => {
            data.data_points().find(|point| is_it(&mut point.attributes())).map(|point| point.value() as f64)
        }
        other => panic!("{name} is {other:?}"),
    }
}

async fn becomes(name: &str, attribute: &str, words: &str, is_right: impl Fn(f64) -> bool) {
    let began = Instant::now();
    loop {
        let value = measured(name, attribute, words);
        if value.is_some_and(&is_right) {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{name} {attribute} is {value:?}");
        sleep(Duration::from_millis(50)).await;
    }
}

/// A pool of two connections, which metrics know by the name.
async fn pool(name: &str) -> (Pool, TestDatabase) {
    LazyLock::force(&METERS);
    let owner = role("metrics", "metrics");
    let database = server().await.unwrap().database(std::slice::from_ref(&owner)).await.unwrap();
    let options = PoolOptions {
        max_connections: 2,
        acquire_timeout: Duration::from_secs(2),
        application_name: format!("kontor-{name}"),
        ..PoolOptions::new(database.url(&owner))
    };
    (connect(&options).await.unwrap(), database)
}

#[tokio::test]
async fn a_pool_tells_what_is_used_and_who_waits_and_for_how_long() {
    let (pool, _database) = pool("waiting").await;
    let name = "db.client.connection.pool.name=waiting";
    let held = [pool.acquire().await.unwrap(), pool.acquire().await.unwrap()];
    becomes("db.client.connection.max", name, "", |max| max == 2.0).await;
    becomes("db.client.connection.count", name, "state=used", |used| used == 2.0).await;
    becomes("db.client.connection.count", name, "state=idle", |idle| idle == 0.0).await;
    becomes("db.client.connection.wait_time", name, "", |count| count == 2.0).await;

    let waiting = tokio::spawn({
        let pool = pool.clone();
        async move { pool.begin().await.err() }
    });
    becomes("db.client.connection.pending_requests", name, "", |pending| pending == 1.0).await;
    assert!(matches!(waiting.await.unwrap(), Some(sqlx::Error::PoolTimedOut)));
    becomes("db.client.connection.timeouts", name, "", |timeouts| timeouts == 1.0).await;
    becomes("db.client.connection.pending_requests", name, "", |pending| pending == 0.0).await;

    drop(held);
    becomes("db.client.connection.count", name, "state=idle", |idle| idle == 2.0).await;
    pool.begin().await.unwrap().commit().await.unwrap();
    becomes("db.client.connection.wait_time", name, "", |count| count == 3.0).await;
}

#[tokio::test]
async fn a_call_that_stops_waiting_does_not_count_as_waiting() {
    let (pool, _database) = pool("impatient").await;
    let _held = [pool.acquire().await.unwrap(), pool.acquire().await.unwrap()];
    tokio::time::timeout(Duration::from_millis(50), pool.acquire()).await.unwrap_err();
    let name = "db.client.connection.pool.name=impatient";
    becomes("db.client.connection.pending_requests", name, "", |pending| pending == 0.0).await;
}

#[derive(Debug)]
struct Conflict;

impl Transient for Conflict {
    fn is_transient(&self) -> bool {
        true
    }
}

#[tokio::test]
async fn each_repetition_of_a_transaction_counts() {
    LazyLock::force(&METERS);
    let tries = AtomicU32::new(0);
    let attempt = || std::future::ready(if tries.fetch_add(1, Ordering::Relaxed) < 2 { Err(Conflict) } else { Ok(()) });
    retry("measured", attempt).await.unwrap();
    becomes("kontor.db.transaction.retries", "kontor.transaction.name=measured", "", |retries| retries == 2.0).await;
}

#[tokio::test]
async fn events_that_wait_for_their_position_are_counted() {
    let (pool, _database) = pool("outbox").await;
    migrate(&pool, &Migrations::new(&[]).with_outbox()).await.unwrap();
    let service = "kontor.service=outbox";
    let event = Event { aggregate: "a/1", version: 1, kind: "test", payload: Vec::new(), trace_parent: None };
    append(&mut pool.acquire().await.unwrap(), &event).await.unwrap();
    // As if another replica were sequencing, and took very long.
    let mut sequencing = pool.begin().await.unwrap();
    sqlx::query("SELECT id FROM outbox_head FOR UPDATE").execute(&mut *sequencing).await.unwrap();
    let _feed = Feed::start(pool.clone(), &CancellationToken::new());
    becomes("kontor.outbox.pending", service, "", |pending| pending == 1.0).await;
    becomes("kontor.outbox.lag", service, "", |lag| lag > 0.0).await;
    sequencing.rollback().await.unwrap();
    becomes("kontor.outbox.pending", service, "", |pending| pending == 0.0).await;
    becomes("kontor.outbox.lag", service, "", |lag| lag == 0.0).await;
}
