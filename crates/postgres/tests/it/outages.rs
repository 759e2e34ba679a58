//! Which errors of a real Postgres count as an outage, that is as UNAVAILABLE, and which do not.

use std::time::Duration;

use kontor_postgres::testing::{TestDatabase, role, server};
use kontor_postgres::{Pool, PoolOptions, Role, StoreError, Transient, connect, is_outage, role_url};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, Executor, PgConnection, Postgres, Transaction};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, UnixStream};
use tokio::time::sleep;

async fn database() -> (Role, TestDatabase) {
    let owner = role("outages", "outages");
    let database = server().await.unwrap().database(std::slice::from_ref(&owner)).await.unwrap();
    (owner, database)
}

async fn pool() -> (Pool, TestDatabase) {
    let (owner, database) = database().await;
    (connect(&PoolOptions::new(database.url(&owner))).await.unwrap(), database)
}

/// A pool whose connections lead over TCP, through a relay: the private server listens on a Unix socket.
async fn pool_over_tcp() -> (Pool, TestDatabase) {
    let (owner, database) = database().await;
    let direct: PgConnectOptions = database.url(&owner).parse().unwrap();
    let socket = direct.get_socket().unwrap().join(format!(".s.PGSQL.{}", direct.get_port()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, name) = (listener.local_addr().unwrap(), direct.get_database().unwrap());
    let url = role_url(&format!("postgres://{address}/{name}?sslmode=disable"), &owner).unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = UnixStream::connect(&socket).await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
        }
    });
    (connect(&PoolOptions::new(url)).await.unwrap(), database)
}

/// A transaction whose session the server has ended, since it was silent for too long.
async fn ended_transaction(pool: &Pool, database: &TestDatabase) -> Transaction<'static, Postgres> {
    let mut tx = pool.begin().await.unwrap();
    let shorten = "SELECT pg_backend_pid() FROM set_config('idle_in_transaction_session_timeout', '50ms', true)";
    let session: i32 = sqlx::query_scalar(shorten).fetch_one(&mut *tx).await.unwrap();
    let mut admin = PgConnection::connect(&database.admin_url()).await.unwrap();
    let count = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1";
    while sqlx::query_scalar::<_, i64>(count).bind(session).fetch_one(&mut admin).await.unwrap() > 0 {
        sleep(Duration::from_millis(10)).await;
    }
    // The session has ended; what the server sent last may not have arrived yet.
    sleep(Duration::from_millis(200)).await;
    tx
}

fn state(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

/// Over a Unix socket sqlx does not get to read the reason: it finds that it can't write.
#[tokio::test]
async fn statements_and_commits_after_too_long_a_silence_are_outages() {
    let (pool, database) = pool().await;
    let mut tx = ended_transaction(&pool, &database).await;
    for _ in 0..2 {
        let error = tx.execute("SELECT 1").await.unwrap_err();
        assert!(is_outage(&error), "{error:?}");
    }
    let error = tx.commit().await.unwrap_err();
    assert!(is_outage(&error), "{error:?}");
    pool.sqlx().execute("SELECT 1").await.unwrap();
}

/// Over TCP sqlx reads the reason first, and then the end of the stream.
#[tokio::test]
async fn over_tcp_the_reason_is_read_and_is_an_outage() {
    let (pool, database) = pool_over_tcp().await;
    let mut tx = ended_transaction(&pool, &database).await;
    let first = tx.execute("SELECT 1").await.unwrap_err();
    assert_eq!(state(&first).as_deref(), Some("25P03"), "{first:?}");
    assert!(is_outage(&first));
    let later = tx.commit().await.unwrap_err();
    assert!(is_outage(&later), "{later:?}");

    let commit = ended_transaction(&pool, &database).await.commit().await.unwrap_err();
    assert_eq!(state(&commit).as_deref(), Some("25P03"), "{commit:?}");
    assert!(is_outage(&commit));
    pool.sqlx().execute("SELECT 1").await.unwrap();
}

#[tokio::test]
async fn the_servers_timeouts_are_outages() {
    let (pool, _database) = pool().await;
    pool.sqlx().execute("CREATE TABLE locked (id int)").await.unwrap();
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
    let outages =
        ["08006", "25006", "25P03", "25P04", "53100", "53200", "53300", "55P03", "57014", "57P01", "57P03", "57P05"];
    let others = ["22012", "23505", "25P02", "40001", "42601", "55000", "55006", "XX000"];
    let cases = outages.map(|code| (code, true)).into_iter().chain(others.map(|code| (code, false)));
    for (code, expected) in cases {
        let raise = format!("DO $$ BEGIN RAISE EXCEPTION 'raised' USING ERRCODE = '{code}'; END $$");
        let error = pool.sqlx().execute(sqlx::AssertSqlSafe(raise)).await.unwrap_err();
        assert_eq!(state(&error).as_deref(), Some(code));
        assert_eq!(is_outage(&error), expected, "{code}");
        let lost_conflict = code == "40001";
        assert_eq!(error.is_transient(), lost_conflict, "{code}");
        assert_eq!(matches!(StoreError::from(error), StoreError::Outage(_)), expected || lost_conflict, "{code}");
    }
}
