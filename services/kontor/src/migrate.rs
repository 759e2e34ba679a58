//! `kontor migrate`: makes the roles and schemas of all services, and brings them up to date; or only looks.

use std::time::Duration;

use kontor_postgres::{SchemaState, is_outage};
use kontor_runtime::Error;
use secrecy::{ExposeSecret, SecretString};
use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::cli::Migrate;
use crate::say;
use crate::schemas::{bootstrap, schemas};

/// How long the database is waited for: it may have been started just now.
const WAIT_MAX: Duration = Duration::from_secs(60);
const INTERVAL: Duration = Duration::from_secs(1);
/// How long one attempt to connect may take.
const CONNECT_MAX: Duration = Duration::from_secs(5);

/// Migrates, or fails if `--check` finds a schema that is not current.
pub async fn run(migrate: Migrate, stop: CancellationToken) -> Result<(), Error> {
    tokio::select! {
        done = migrate_all(&migrate) => done,
        () = stop.cancelled() => Err("stopped; run it again: what was done already is not done twice".into()),
    }
}

async fn migrate_all(migrate: &Migrate) -> Result<(), Error> {
    let admin_url = migrate.database_url.expose_secret();
    let passwords =
        [&migrate.auth_database_password, &migrate.catalog_database_password, &migrate.order_database_password];
    let schemas = schemas(passwords.map(SecretString::clone));
    wait_for(admin_url).await?;
    if !migrate.check {
        bootstrap(admin_url, &schemas).await?;
    }
    let mut are_current = true;
    for found in &schemas {
        let url = found.url(admin_url)?;
        let state = kontor_postgres::migrate_or_compare(url.expose_secret(), &found.migrations, migrate.check).await;
        let told = match &state {
            Ok(state) => state.to_string(),
            Err(error) if migrate.check => error.to_string(),
            Err(error) => return Err(format!("{}: {error}", found.service).into()),
        };
        say(format_args!("{:8} {told}", found.service));
        are_current &= matches!(state, Ok(SchemaState::Current));
    }
    if are_current { Ok(()) } else { Err("not every schema is current: run `kontor migrate`".into()) }
}

/// Waits until the database takes connections.
async fn wait_for(url: &str) -> Result<(), Error> {
    let (began, mut told) = (Instant::now(), String::new());
    loop {
        let error = match timeout(CONNECT_MAX, PgConnection::connect(url)).await {
            Ok(Ok(conn)) => return Ok(conn.close().await?),
            Ok(Err(error)) if !is_outage(&error) => return Err(kontor_postgres::Error::from(error).into()),
            Ok(Err(error)) => kontor_postgres::text(&error),
            Err(_elapsed) => format!("no answer within {} s", CONNECT_MAX.as_secs()),
        };
        if began.elapsed() > WAIT_MAX {
            return Err(format!("the database is not available: {error}").into());
        }
        if told != error {
            say(format_args!("waiting for the database: {error}"));
            told = error;
        }
        sleep(INTERVAL).await;
    }
}
