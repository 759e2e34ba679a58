//! A schema brought up to date by one process at a time.
//!
//! sqlx guards its migrator with an advisory lock, which CockroachDB does not have. Here the guard
//! is a row: whoever holds `SELECT .. FOR UPDATE` on it migrates, the others wait for it. The
//! holder does so on a connection of its own, and migrates on another.

use std::sync::Arc;

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, Executor, PgConnection};

use crate::error::has_state;
use crate::schema::{self, SchemaState};
use crate::{Error, Migrations, Pool};

/// Races of `CREATE TABLE IF NOT EXISTS` that are worth another try.
const CREATE_ATTEMPTS: u32 = 10;
/// How long a process waits for another one's migrations, in milliseconds.
const LOCK_TIMEOUT_MS: u32 = 10 * 60 * 1000;

/// Applies the migrations that this database lacks. Safe to call from many processes at once.
///
/// Uses two connections of its own with the pool's address and role, without its timeouts:
/// a migration may take longer than a statement of the service, and the holder of the row is
/// silent for all that time.
///
/// # Errors
/// When a migration fails or differs from the one applied earlier, or when a newer program has migrated the schema.
pub async fn migrate(pool: &Pool, migrations: &Migrations) -> Result<(), Error> {
    migrate_with(&pool.sqlx().connect_options(), migrations).await
}

/// For a program that does nothing else: applies the migrations, or only compares them with the schema.
///
/// # Errors
/// Those of [`migrate`], and when the URL can't be read.
pub async fn migrate_or_compare(url: &str, migrations: &Migrations, is_check: bool) -> Result<SchemaState, Error> {
    let options = Arc::new(url.parse::<PgConnectOptions>()?);
    let mut conn = PgConnection::connect_with(&options).await?;
    let schema: Option<String> = sqlx::query_scalar("SELECT current_schema()::text").fetch_one(&mut conn).await?;
    if schema.is_none_or(|schema| schema == "public") {
        return Err(Error::NoSchema(options.get_username().to_owned()));
    }
    if !is_check {
        migrate_with(&options, migrations).await?;
    }
    Ok(schema::compare(&mut conn, migrations).await?)
}

async fn migrate_with(options: &Arc<PgConnectOptions>, migrations: &Migrations) -> Result<(), Error> {
    let options = without_timeouts(options);
    let mut guard = PgConnection::connect_with(&options).await?;
    create_lock_row(&mut guard).await?;
    let mut held = guard.begin().await?;
    sqlx::query("SELECT id FROM _kontor_migration_lock WHERE id = 1 FOR UPDATE").fetch_one(&mut *held).await?;
    let outcome = apply(&options, migrations).await;
    let released = held.rollback().await;
    outcome?;
    Ok(released?)
}

fn without_timeouts(options: &Arc<PgConnectOptions>) -> PgConnectOptions {
    PgConnectOptions::clone(options).options([
        ("statement_timeout", 0),
        ("idle_in_transaction_session_timeout", 0),
        ("lock_timeout", LOCK_TIMEOUT_MS),
    ])
}

async fn apply(options: &PgConnectOptions, migrations: &Migrations) -> Result<(), Error> {
    let mut conn = PgConnection::connect_with(options).await?;
    match schema::compare(&mut conn, migrations).await? {
        SchemaState::Current | SchemaState::Older { .. } => {}
        state @ (SchemaState::Newer { .. } | SchemaState::Changed { .. }) => return Err(Error::Schema(state)),
    }
    // What `run` calls; that one's bounds keep the future from being spawned.
    Ok(migrations.migrator().run_direct(None, &mut conn, false).await?)
}

/// Makes the table and its row. `IF NOT EXISTS` looks and creates in two steps, so two processes
/// can both look first; the later one is told of a duplicate (in the table or its row type).
async fn create_lock_row(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    for _ in 1..CREATE_ATTEMPTS {
        match try_create_lock_row(conn).await {
            Err(error) if has_state(&error, &["23505", "42P07", "42710", "40001"]) => {}
            done => return done,
        }
    }
    try_create_lock_row(conn).await
}

async fn try_create_lock_row(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    conn.execute("CREATE TABLE IF NOT EXISTS _kontor_migration_lock (id integer PRIMARY KEY)").await?;
    conn.execute("INSERT INTO _kontor_migration_lock (id) VALUES (1) ON CONFLICT DO NOTHING").await?;
    Ok(())
}
