//! Which errors of a real Postgres count as an outage, that is as UNAVAILABLE, and which do not.
#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::time::Duration;

use kontor_postgres::testing::{TestDatabase, role, server};
use kontor_postgres::{PoolOptions, connect, is_outage};
use sqlx::{Connection, Executor, PgConnection, PgPool, Postgres, Transaction};
use tokio::time::sleep;

async fn pool() -> (PgPool, TestDatabase) {
    let owner = role("outages", "outages");
    let database = server().await.unwrap().database(std::slice::from_ref(&owner)).await.unwrap();
    (connect(&PoolOptions::new(database.url(&owner))).await.unwrap(), database)
}

/// A transaction whose session the server has ended, since it was silent for too long.
async fn ended_transaction(pool: &PgPool, database: &TestDatabase) -> Transaction<'static, Postgres> {
    let mut tx = pool.begin().await.unwrap();
    let shorten = "SELECT pg_backend_pid() FROM set_config('idle_in_transaction_session_timeout', '50ms', true)";
    let session: i32 = sqlx::query_scalar(shorten).fetch_one(&mut *tx).await.unwrap();
    let mut admin = PgConnection::connect(&database.admin_url()).await.unwrap();
    let count = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1";
    while sqlx::query_scalar::<_, i64>(count).bind(session).fetch_one(&mut admin).await.unwrap() > 0 {
        sleep(Duration::from_millis(10)).await;
    }
    tx
}

fn state(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

#[tokio::test]
async fn statements_and_commits_after_too_long_a_silence_are_outages() {
    let (pool, database) = pool().await;
    let mut tx = ended_transaction(&pool, &database).await;
    let first = tx.execute("SELECT 1").await.unwrap_err();
    assert!(is_outage(&first), "{first:?}");
    for _ in 0..2 {
        let later = tx.execute("SELECT 1").await.unwrap_err();
        assert!(is_outage(&later), "{later:?}");
    }
    let last = tx.commit().await.unwrap_err();
    assert!(is_outage(&last), "{last:?}");

    let commit = ended_transaction(&pool, &database).await.commit().await.unwrap_err();
    assert!(is_outage(&commit), "{commit:?}");
    pool.execute("SELECT 1").await.unwrap();
}

#[tokio::test]
async fn the_servers_timeouts_are_outages() {
    let (pool, _database) = pool().await;
    pool.execute("CREATE TABLE locked (id int)").await.unwrap();
    let mut holder = pool.begin().await.unwrap();
    holder.execute("LOCK TABLE locked").await.unwrap();
    let timeouts = [
        ("SET statement_timeout = 50", "SELECT pg_sleep(5)", "57014"),
        ("SET lock_timeout = 50", "SELECT id FROM locked", "55P03"),
        ("SET lock_timeout = 0", "LOCK TABLE locked NOWAIT", "55P03"),
        ("SELECT 1", "SELECT pg_terminate_backend(pg_backend_pid())", "57P01"),
    ];
    for (setting, statement, code) in timeouts {
        let mut conn = pool.begin().await.unwrap();
        conn.execute(setting).await.unwrap();
        let error = conn.execute(statement).await.unwrap_err();
        assert_eq!(state(&error).as_deref(), Some(code), "{error:?}");
        assert!(is_outage(&error), "{error:?}");
    }
}

#[tokio::test]
async fn refusals_count_as_outages_by_their_sqlstate() {
    let (pool, _database) = pool().await;
    let outages = ["08006", "25P03", "25P04", "53100", "53200", "53300", "55P03", "57014", "57P01", "57P03", "57P05"];
    let others = ["22012", "23505", "25P02", "25006", "40001", "42601", "55000", "55006", "XX000"];
    let cases = outages.map(|code| (code, true)).into_iter().chain(others.map(|code| (code, false)));
    for (code, expected) in cases {
        let raise = format!("DO $$ BEGIN RAISE EXCEPTION 'raised' USING ERRCODE = '{code}'; END $$");
        let error = pool.execute(sqlx::AssertSqlSafe(raise)).await.unwrap_err();
        assert_eq!(state(&error).as_deref(), Some(code));
        assert_eq!(is_outage(&error), expected, "{code}");
    }
}
