//! Migrations, retries, row counts and the outbox, against a real Postgres.

use std::cell::Cell;

use futures_util::FutureExt;
use futures_util::future::{OptionFuture, join_all};
use kontor_postgres::outbox::{self, Event};
use kontor_postgres::testing::{role, server};
use kontor_postgres::{Migrations, Pool, PoolOptions, Transient, connect, constraint, ensure_affected, migrate, retry};
use sqlx::Executor;
use tokio::sync::Barrier;

async fn pool() -> Pool {
    let owner = role("transactions", "transactions");
    let database = server().await.unwrap().database(std::slice::from_ref(&owner)).await.unwrap();
    connect(&PoolOptions::new(database.url(&owner))).await.unwrap()
}

fn migrations() -> Migrations {
    Migrations::new(&[
        ("0001_step", "CREATE TABLE ran (step int); SELECT pg_sleep(0.2); INSERT INTO ran VALUES (1)"),
        ("0002_step", "INSERT INTO ran VALUES (2)"),
    ])
}

#[tokio::test]
async fn eight_migrators_at_once_all_succeed_and_each_step_runs_once() {
    let pool = pool().await;
    let migrator = migrations();
    for outcome in join_all((0..8).map(|_| migrate(&pool, &migrator))).await {
        outcome.unwrap();
    }
    let ran: Vec<i32> = sqlx::query_scalar("SELECT step FROM ran ORDER BY step").fetch_all(pool.sqlx()).await.unwrap();
    assert_eq!(ran, [1, 2]);
}

#[tokio::test]
async fn a_migration_may_take_longer_than_a_statement_of_the_service() {
    let owner = role("transactions", "transactions");
    let database = server().await.unwrap().database(std::slice::from_ref(&owner)).await.unwrap();
    let short = std::time::Duration::from_millis(100);
    let pool = connect(&PoolOptions {
        statement_timeout: short,
        idle_in_transaction_timeout: short,
        ..PoolOptions::new(database.url(&owner))
    })
    .await
    .unwrap();
    let limited = pool.sqlx().execute("SELECT pg_sleep(0.3)").await.unwrap_err();
    assert_eq!(limited.as_database_error().unwrap().code().as_deref(), Some("57014"));
    migrate(&pool, &migrations()).await.unwrap();
}

#[tokio::test]
async fn migrate_can_be_spawned() {
    let pool = pool().await;
    tokio::spawn(async move { migrate(&pool, &migrations()).await }).await.unwrap().unwrap();
}

/// Adds to a counter in a way that conflicts with another transaction that has read it too before `both_read` ends.
async fn add_one(pool: &Pool, both_read: impl Future<Output = ()>) -> Result<(), sqlx::Error> {
    let mut tx = pool.begin().await?;
    tx.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE").await?;
    let n: i32 = sqlx::query_scalar("SELECT n FROM counter").fetch_one(&mut *tx).await?;
    both_read.await;
    let done = sqlx::query("UPDATE counter SET n = $1").bind(n + 1).execute(&mut *tx).await?;
    ensure_affected(&done, 1)?;
    tx.commit().await
}

#[tokio::test]
async fn conflicting_transactions_all_count_when_retried() {
    let pool = pool().await;
    pool.sqlx().execute("CREATE TABLE counter AS SELECT 0 AS n").await.unwrap();
    let (attempts, barrier) = (Cell::new(0), Barrier::new(2));
    let once = || {
        let is_first_of_two = attempts.get() < 2;
        attempts.set(attempts.get() + 1);
        let wait = is_first_of_two.then(|| barrier.wait());
        add_one(&pool, OptionFuture::from(wait).map(drop))
    };
    let (a, b) = tokio::join!(retry("add", once), retry("add", once));
    a.and(b).unwrap();
    let n: i32 = sqlx::query_scalar("SELECT n FROM counter").fetch_one(pool.sqlx()).await.unwrap();
    assert_eq!(n, 2);
    assert!(attempts.get() > 2, "no conflict happened, so nothing was shown");
}

#[derive(Debug, PartialEq)]
struct Refusal {
    transient: bool,
}

impl Transient for Refusal {
    fn is_transient(&self) -> bool {
        self.transient
    }
}

#[tokio::test]
async fn a_conflict_is_tried_five_times_and_another_error_once() {
    for (transient, expected) in [(true, 5), (false, 1)] {
        let attempts = Cell::new(0);
        let outcome: Result<(), Refusal> = retry("refused", || {
            attempts.set(attempts.get() + 1);
            async { Err(Refusal { transient }) }
        })
        .await;
        assert_eq!(outcome, Err(Refusal { transient }));
        assert_eq!(attempts.get(), expected);
    }
}

#[tokio::test]
async fn a_row_count_that_is_not_the_expected_one_is_an_error() {
    let pool = pool().await;
    pool.sqlx().execute("CREATE TABLE t AS SELECT generate_series(1, 2) AS id").await.unwrap();
    let done = pool.sqlx().execute("UPDATE t SET id = 3").await.unwrap();
    ensure_affected(&done, 2).unwrap();
    let error = ensure_affected(&done, 1).unwrap_err();
    assert!(!error.is_transient());
    assert!(error.to_string().contains("2 rows"), "{error}");
}

const OUTBOX: &str = "CREATE TABLE outbox_events (
    id uuid PRIMARY KEY, aggregate text NOT NULL, version bigint NOT NULL, kind text NOT NULL,
    payload bytea NOT NULL, trace_parent text, create_time timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT outbox_events_version UNIQUE (aggregate, version))";

fn event(version: i64) -> Event<'static> {
    let trace_parent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
    Event { aggregate: "orders/1", version, kind: "placed", payload: vec![0, 1], trace_parent }
}

#[tokio::test]
async fn an_event_lives_and_dies_with_its_transaction() {
    let pool = pool().await;
    pool.sqlx().execute(OUTBOX).await.unwrap();
    let mut kept = pool.begin().await.unwrap();
    let id = outbox::append(&mut kept, &event(1)).await.unwrap();
    kept.commit().await.unwrap();
    let mut lost = pool.begin().await.unwrap();
    outbox::append(&mut lost, &event(2)).await.unwrap();
    lost.rollback().await.unwrap();
    let rows: Vec<(uuid::Uuid, Vec<u8>, Option<String>)> =
        sqlx::query_as("SELECT id, payload, trace_parent FROM outbox_events").fetch_all(pool.sqlx()).await.unwrap();
    assert_eq!(rows, [(id, vec![0, 1], event(1).trace_parent)]);
}

#[tokio::test]
async fn a_version_is_written_once_and_the_constraint_is_named() {
    let pool = pool().await;
    pool.sqlx().execute(OUTBOX).await.unwrap();
    let mut conn = pool.acquire().await.unwrap();
    outbox::append(&mut conn, &event(1)).await.unwrap();
    let error = outbox::append(&mut conn, &event(1)).await.unwrap_err();
    assert_eq!(constraint(&error), Some("outbox_events_version"));
}
