//! Positions of events, against a real Postgres: readers miss nothing, whatever commits late or dies.

use std::collections::HashMap;
use std::time::Duration;

use kontor_postgres::outbox::{Event, OutboxEvent, append, page, sequence};
use kontor_postgres::testing::{TestDatabase, role, server};
use kontor_postgres::{Migrations, Pool, PoolOptions, connect, is_outage, migrate};
use sqlx::{Connection, Executor, PgConnection};
use tokio::task::JoinSet;
use tokio::time::sleep;
use uuid::Uuid;

const AGGREGATES: &str = "CREATE TABLE aggregates (name text PRIMARY KEY, version bigint NOT NULL DEFAULT 0);";

async fn outbox() -> (Pool, TestDatabase) {
    let owner = role("outbox", "outbox");
    let database = server().await.unwrap().database(std::slice::from_ref(&owner)).await.unwrap();
    let pool = connect(&PoolOptions { max_connections: 20, ..PoolOptions::new(database.url(&owner)) }).await.unwrap();
    migrate(&pool, &Migrations::new(&[]).with_outbox()).await.unwrap();
    pool.sqlx().execute(AGGREGATES).await.unwrap();
    (pool, database)
}

async fn add(conn: &mut PgConnection, aggregate: &str, version: i64, bytes: usize) -> Uuid {
    let event = Event { aggregate, version, kind: "k", payload: vec![7; bytes], trace_parent: None };
    append(conn, &event).await.unwrap()
}

async fn after(pool: &Pool, position: i64) -> Vec<OutboxEvent> {
    page::list_after(&mut pool.acquire().await.unwrap(), position, 100, i64::MAX).await.unwrap()
}

async fn given(pool: &Pool) -> i64 {
    sequence(pool, 100).await.unwrap().given
}

#[tokio::test]
async fn an_event_that_is_committed_late_comes_later_and_is_not_missed() {
    let (pool, _database) = outbox().await;
    let (mut early, mut late) = (pool.begin().await.unwrap(), pool.begin().await.unwrap());
    let late_id = add(&mut late, "a", 1, 0).await;
    let early_id = add(&mut early, "b", 1, 0).await;
    early.commit().await.unwrap();
    assert_eq!(given(&pool).await, 1);
    let read = after(&pool, 0).await;
    assert_eq!(read.iter().map(|event| (event.position, event.id)).collect::<Vec<_>>(), [(1, early_id)]);

    late.commit().await.unwrap();
    assert_eq!(given(&pool).await, 1);
    let read = after(&pool, 1).await;
    assert_eq!(read.iter().map(|event| (event.position, event.id)).collect::<Vec<_>>(), [(2, late_id)]);
}

#[tokio::test]
async fn versions_are_in_order_even_if_their_ids_are_not() {
    let (pool, _database) = outbox().await;
    // Ids are made by the clocks of several processes: here each version's is lower than the one before.
    for version in 1..=4_i64 {
        let id = Uuid::from_u128(100 - version as u128);
        let sql = "INSERT INTO outbox_events (id, aggregate, version, kind, payload) VALUES ($1, 'a', $2, 'k', '')";
        sqlx::query(sql).bind(id).bind(version).execute(pool.sqlx()).await.unwrap();
    }
    while sequence(&pool, 2).await.unwrap().more {}
    let read = after(&pool, 0).await;
    let order = |event: &OutboxEvent| (event.position, event.version);
    assert_eq!(read.iter().map(order).collect::<Vec<_>>(), [(1, 1), (2, 2), (3, 3), (4, 4)]);
}

#[tokio::test]
async fn a_sequencer_whose_connection_breaks_leaves_nothing() {
    let (pool, database) = outbox().await;
    let mut conn = pool.acquire().await.unwrap();
    for name in ["a", "b", "c"] {
        add(&mut conn, name, 1, 0).await;
    }
    // Somebody holds the last of them, so that the sequencer has given positions to some, and waits in the middle.
    let mut holder = pool.begin().await.unwrap();
    holder.execute("SELECT id FROM outbox_events WHERE aggregate = 'c' FOR UPDATE").await.unwrap();
    let sequencing = tokio::spawn({
        let pool = pool.clone();
        async move { sequence(&pool, 100).await }
    });
    let mut admin = PgConnection::connect(&database.admin_url()).await.unwrap();
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() \
        AND wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(cut).fetch_one(&mut admin).await.unwrap() == 0 {
        sleep(Duration::from_millis(10)).await;
    }
    assert!(is_outage(&sequencing.await.unwrap().unwrap_err()));
    assert_eq!((page::head(&mut conn).await.unwrap(), after(&pool, 0).await), (0, vec![]));

    holder.rollback().await.unwrap();
    assert_eq!(given(&pool).await, 3);
    assert_eq!(after(&pool, 0).await.iter().map(|event| event.position).collect::<Vec<_>>(), [1, 2, 3]);
}

#[tokio::test]
async fn one_sequencer_works_and_another_one_does_not_wait_for_it() {
    let (pool, _database) = outbox().await;
    add(&mut pool.acquire().await.unwrap(), "a", 1, 0).await;
    let mut other = pool.begin().await.unwrap();
    other.execute("SELECT id FROM outbox_head FOR UPDATE").await.unwrap();
    assert_eq!(given(&pool).await, 0);
    other.rollback().await.unwrap();
    assert_eq!(given(&pool).await, 1);
}

#[tokio::test]
async fn a_page_is_bounded_in_bytes_but_never_empty() {
    let (pool, _database) = outbox().await;
    let mut conn = pool.acquire().await.unwrap();
    for (name, bytes) in [("a", 4000), ("b", 500), ("c", 500), ("d", 1)] {
        add(&mut conn, name, 1, bytes).await;
    }
    given(&pool).await;
    let mut pages = Vec::new();
    let mut position = 0;
    while let Some(last) = {
        let page = page::list_after(&mut conn, position, 100, 1000).await.unwrap();
        pages.push(page.iter().map(|event| event.payload.len()).collect::<Vec<_>>());
        page.last().map(|event| event.position)
    } {
        position = last;
    }
    assert_eq!(pages, [vec![4000], vec![500, 500], vec![1], vec![]]);
    assert_eq!(page::list_after(&mut conn, 1, 1, 1000).await.unwrap().len(), 1);
}

const WRITERS: usize = 8;
const WRITES: usize = 40;

/// Appends to random aggregates, one version after the other as the services do, and commits after a random while or not at all.
async fn write(pool: Pool) -> usize {
    let mut written = 0;
    for _ in 0..WRITES {
        let name = format!("a{}", rand::random_range(0..6));
        let mut tx = pool.begin().await.unwrap();
        let next = "INSERT INTO aggregates (name, version) VALUES ($1, 1) \
            ON CONFLICT (name) DO UPDATE SET version = aggregates.version + 1 RETURNING version";
        let version: i64 = sqlx::query_scalar(next).bind(&name).fetch_one(&mut *tx).await.unwrap();
        add(&mut tx, &name, version, 10).await;
        // One of an aggregate of its own, so that late commits do not wait for each other.
        add(&mut tx, &Uuid::from_u128(rand::random()).to_string(), 1, 10).await;
        sleep(Duration::from_millis(rand::random_range(0..8))).await;
        if rand::random_ratio(1, 8) {
            tx.rollback().await.unwrap();
        } else {
            tx.commit().await.unwrap();
            written += 2;
        }
    }
    written
}

/// Pages through the events for as long as it is not ended, and checks each as it comes.
async fn read(pool: Pool, expected: tokio::sync::watch::Receiver<Option<usize>>) -> Vec<OutboxEvent> {
    let (mut seen, mut versions) = (Vec::<OutboxEvent>::new(), HashMap::<String, i64>::new());
    loop {
        let whole = *expected.borrow();
        let page = page::list_after(&mut pool.acquire().await.unwrap(), seen.len() as i64, 7, 1000).await.unwrap();
        if page.is_empty() {
            if whole.is_some_and(|whole| whole <= seen.len()) {
                return seen;
            }
            sleep(Duration::from_millis(1)).await;
        }
        for event in page {
            assert_eq!(event.position, seen.len() as i64 + 1, "a gap, or a late one");
            let version = versions.entry(event.aggregate.clone()).or_default();
            assert_eq!(event.version, *version + 1, "{} out of order", event.aggregate);
            *version = event.version;
            seen.push(event);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reader_sees_every_event_once_and_in_order_whoever_writes_and_sequences_meanwhile() {
    let (pool, _database) = outbox().await;
    let (tell, expected) = tokio::sync::watch::channel(None);
    let reading = tokio::spawn(read(pool.clone(), expected));
    let mut sequencers = JoinSet::new();
    for limit in [3, 10, 100] {
        let pool = pool.clone();
        sequencers.spawn(async move {
            loop {
                // Some die in the middle of it.
                let allowed = Duration::from_micros(rand::random_range(500..20_000));
                if let Ok(turn) = tokio::time::timeout(allowed, sequence(&pool, limit)).await {
                    turn.unwrap();
                }
                sleep(Duration::from_millis(rand::random_range(0..4))).await;
            }
        });
    }
    let mut writers = JoinSet::new();
    (0..WRITERS).for_each(|_| drop(writers.spawn(write(pool.clone()))));
    let written = writers.join_all().await.into_iter().sum();
    tell.send_replace(Some(written));
    let Ok(read) = tokio::time::timeout(Duration::from_secs(60), reading).await else {
        panic!("events are missing");
    };
    let read = read.unwrap();
    assert_eq!(read.len(), written);
    let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox_events").fetch_one(pool.sqlx()).await.unwrap();
    assert_eq!(kept as usize, written);
    sequencers.shutdown().await;
}
