//! Watching the outbox, against a real Postgres.

use std::time::Duration;

use kontor_postgres::outbox::{BadCursor, Batch, Cursor, Event, Feed, Start, Watch, WatchError, append, sequence};
use kontor_postgres::testing::{TestDatabase, role, server};
use kontor_postgres::{Migrations, Pool, PoolOptions, StoreError, connect, migrate};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// An outbox, with a pool of two connections.
async fn outbox() -> (Pool, TestDatabase) {
    let owner = role("outbox", "outbox");
    let database = server().await.unwrap().database(std::slice::from_ref(&owner)).await.unwrap();
    let acquire_timeout = Duration::from_millis(500);
    let options = PoolOptions { max_connections: 2, acquire_timeout, ..PoolOptions::new(database.url(&owner)) };
    let pool = connect(&options).await.unwrap();
    migrate(&pool, &Migrations::new(&[]).with_outbox()).await.unwrap();
    (pool, database)
}

async fn add(pool: &Pool, version: i64) {
    let event = Event { aggregate: "a", version, kind: "k", payload: vec![], trace_parent: None };
    append(&mut pool.acquire().await.unwrap(), &event).await.unwrap();
}

/// The versions of the next events, in however many batches they come.
async fn next(watch: &mut Watch, count: usize) -> Vec<i64> {
    let mut versions = Vec::new();
    while versions.len() < count {
        versions.extend(watch.next().await.unwrap().events.into_iter().map(|event| event.version));
    }
    versions
}

#[tokio::test]
async fn many_watchers_wait_without_a_connection_and_all_see_what_comes() {
    let (pool, _database) = outbox().await;
    let feed = Feed::start(pool.clone(), &CancellationToken::new());
    let mut watching = JoinSet::new();
    for _ in 0..50 {
        let mut watch = feed.watch(Start::Newest).await.unwrap();
        assert_eq!(watch.next().await.unwrap(), Batch { events: vec![], cursor: Cursor::default() });
        watching.spawn(async move { next(&mut watch, 1).await });
    }
    add(&pool, 1).await;
    assert_eq!(watching.join_all().await, vec![vec![1]; 50]);
}

#[tokio::test]
async fn the_end_of_the_service_ends_the_wait() {
    let (pool, _database) = outbox().await;
    let stop = CancellationToken::new();
    let feed = Feed::start(pool.clone(), &stop);
    let mut watch = feed.watch(Start::Oldest).await.unwrap();
    watch.next().await.unwrap();
    let waiting = tokio::spawn(async move { watch.next().await });
    stop.cancel();
    assert!(matches!(waiting.await.unwrap(), Err(WatchError::Stopping)));
    assert!(matches!(feed.watch(Start::Newest).await, Err(WatchError::Stopping)));
}

#[tokio::test]
async fn nobody_sequences_any_more_once_the_feed_is_gone() {
    let (pool, _database) = outbox().await;
    drop(Feed::start(pool.clone(), &CancellationToken::new()));
    // The turn that was under way may still end; after that, this one finds what it would have placed.
    sleep(Duration::from_millis(300)).await;
    add(&pool, 1).await;
    sleep(Duration::from_millis(300)).await;
    assert_eq!(sequence(&pool, 10).await.unwrap().given, 1);
}

#[tokio::test]
async fn a_cursor_is_good_as_soon_as_any_process_gave_it_out() {
    let (pool, _database) = outbox().await;
    let feed = Feed::start(pool.clone(), &CancellationToken::new());
    add(&pool, 1).await;
    let mut watch = feed.watch(Start::Oldest).await.unwrap();
    assert_eq!(next(&mut watch, 1).await, [1]);
    let (first, second) = ("e10000000000000001", "e10000000000000002");
    let at = |word: &str| Start::from_request(word, Start::Newest).unwrap();
    assert!(matches!(feed.watch(at(second)).await, Err(WatchError::Cursor(BadCursor))));
    // As another process would: this one may not have heard of it yet.
    add(&pool, 2).await;
    while sqlx::query_scalar::<_, i64>("SELECT last_position FROM outbox_head").fetch_one(pool.sqlx()).await.unwrap()
        < 2
    {
        sequence(&pool, 10).await.unwrap();
    }
    feed.watch(at(second)).await.unwrap();
    assert_eq!(next(&mut feed.watch(at(first)).await.unwrap(), 1).await, [2]);
}

#[tokio::test]
async fn what_is_not_kept_any_more_is_passed_over() {
    let (pool, _database) = outbox().await;
    let feed = Feed::start(pool.clone(), &CancellationToken::new());
    for version in 1..=3 {
        add(&pool, version).await;
    }
    next(&mut feed.watch(Start::Oldest).await.unwrap(), 3).await;
    pool.sqlx().execute("DELETE FROM outbox_events").await.unwrap();
    let mut watch = feed.watch(Start::Oldest).await.unwrap();
    let passed = watch.next().await.unwrap();
    assert_eq!((passed.events, passed.cursor.to_wire()), (vec![], "e10000000000000003".into()));
    add(&pool, 4).await;
    assert_eq!(next(&mut watch, 1).await, [4]);
}

#[tokio::test]
async fn a_watcher_outlives_an_outage_of_the_database() {
    let (pool, database) = outbox().await;
    let feed = Feed::start(pool.clone(), &CancellationToken::new());
    add(&pool, 1).await;
    assert_eq!(next(&mut feed.watch(Start::Oldest).await.unwrap(), 1).await, [1]);

    let mut admin = PgConnection::connect(&database.admin_url()).await.unwrap();
    let name: String = sqlx::query_scalar("SELECT current_database()").fetch_one(&mut admin).await.unwrap();
    let limit = |connections: i32| AssertSqlSafe(format!("ALTER DATABASE {name} CONNECTION LIMIT {connections}"));
    admin.execute(limit(0)).await.unwrap();
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    admin.execute(cut).await.unwrap();

    assert!(matches!(feed.watch(Start::Newest).await, Err(WatchError::Store(StoreError::Outage(_)))));
    // This one knows that there is something to read, and can't.
    let mut watch = feed.watch(Start::Oldest).await.unwrap();
    let mut waiting = tokio::spawn(async move { next(&mut watch, 2).await });
    assert!(timeout(Duration::from_secs(1), &mut waiting).await.is_err(), "there was no outage");
    admin.execute(limit(-1)).await.unwrap();
    while pool.acquire().await.is_err() {}
    add(&pool, 2).await;
    assert_eq!(waiting.await.unwrap(), [1, 2]);
}
