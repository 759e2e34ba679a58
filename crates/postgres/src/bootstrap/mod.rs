//! Roles and schemas, made by an administrator: one role and one schema for each service, so that
//! no service can read another's tables.
//!
//! Everything can be run again, and by several processes at once. The administrator need not be a
//! superuser: CREATEROLE, and CREATE on the database, are enough.

mod address;
mod role;
mod scram;

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection};

pub use address::role_url;
pub(crate) use address::with_login;
pub use role::Role;

use crate::Error;
use crate::error::has_state;
use crate::quote::identifier;

const ROLE_EXISTS: &str = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)";
/// How often a statement is tried that races with the same one of another process.
const RACE_ATTEMPTS: u64 = 20;

/// Makes the roles with their passwords, their schemas and search paths, and takes from everybody
/// else what they need not have. A password is set anew unless the role can log in by it.
///
/// # Errors
/// When the administrator lacks a right, or the database cannot be reached.
pub async fn bootstrap(admin_url: &str, roles: &[Role]) -> Result<(), Error> {
    match make(admin_url, roles).await {
        // insufficient_privilege
        Err(Error::Sql(error)) if has_state(&error, &["42501"]) => Err(Error::Privilege(error)),
        made => made,
    }
}

async fn make(admin_url: &str, roles: &[Role]) -> Result<(), Error> {
    let options: sqlx::postgres::PgConnectOptions = admin_url.parse()?;
    // Statements here hold password verifiers, so they are kept out of the log.
    let mut conn = PgConnection::connect_with(&options.disable_statement_logging()).await?;
    let database: String = sqlx::query_scalar("SELECT current_database()::text").fetch_one(&mut conn).await?;
    close_public_schema(&mut conn).await?;
    for role in roles {
        ensure_login(&mut conn, admin_url, role).await?;
        ensure_schema(&mut conn, role).await?;
        let (name, schema) = (identifier(role.name), identifier(role.schema));
        let database = identifier(&database);
        run(&mut conn, format!("ALTER ROLE {name} IN DATABASE {database} SET search_path = {schema}")).await?;
    }
    conn.close().await?;
    Ok(())
}

/// The first of these roles that is there with another password: the services of another installation log in by it, and
/// [`bootstrap`] would lock them out.
///
/// # Errors
/// When the server cannot be reached, or refuses the administrator.
pub async fn role_of_others(admin_url: &str, roles: &[Role]) -> Result<Option<&'static str>, Error> {
    let mut conn = PgConnection::connect(admin_url).await?;
    for role in roles {
        if !exists(&mut conn, ROLE_EXISTS, role.name).await? {
            continue;
        }
        match PgConnection::connect(&role_url(admin_url, role)?).await {
            // invalid_password
            Err(error) if has_state(&error, &["28P01"]) => return Ok(Some(role.name)),
            Ok(_) | Err(_) => {}
        }
    }
    Ok(None)
}

/// Makes a database, unless it is there.
///
/// # Errors
/// When the administrator lacks the right, or the server cannot be reached.
pub async fn create_database(admin_url: &str, name: &str) -> Result<(), Error> {
    let options: sqlx::postgres::PgConnectOptions = admin_url.parse()?;
    let mut conn = PgConnection::connect_with(&options).await?;
    if !exists(&mut conn, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).await? {
        let sql = format!("CREATE DATABASE {}", identifier(name));
        tolerate(conn.execute(AssertSqlSafe(sql)).await, &["42P04", "23505"])?;
    }
    conn.close().await?;
    Ok(())
}

/// Takes CREATE on schema `public` from everybody, where they still have it (before Postgres 15).
async fn close_public_schema(conn: &mut PgConnection) -> Result<(), sqlx::Error> {
    let open: Option<bool> = sqlx::query_scalar(
        "SELECT has_schema_privilege('public', oid, 'CREATE') \
         FROM pg_namespace WHERE nspname = 'public'",
    )
    .fetch_optional(&mut *conn)
    .await?;
    if open == Some(true) {
        run(conn, "REVOKE CREATE ON SCHEMA public FROM PUBLIC".to_owned()).await?;
    }
    Ok(())
}

/// There is no `CREATE ROLE IF NOT EXISTS`: look first, and let a faster process win.
async fn ensure_login(conn: &mut PgConnection, admin_url: &str, role: &Role) -> Result<(), Error> {
    let name = identifier(role.name);
    let verifier = scram::verifier(role)?;
    if !exists(conn, ROLE_EXISTS, role.name).await? {
        let created = conn.execute(AssertSqlSafe(format!("CREATE ROLE {name}"))).await;
        tolerate(created, &["42710", "23505"])?;
    } else if PgConnection::connect(&role_url(admin_url, role)?).await.is_ok() {
        return Ok(());
    }
    run(conn, format!("ALTER ROLE {name} LOGIN PASSWORD '{verifier}'")).await?;
    Ok(())
}

/// `CREATE SCHEMA IF NOT EXISTS` asks for the right to create even when there is nothing to do,
/// so this looks first as well.
async fn ensure_schema(conn: &mut PgConnection, role: &Role) -> Result<(), sqlx::Error> {
    let (name, schema) = (identifier(role.name), identifier(role.schema));
    let there = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)";
    if !exists(conn, there, role.schema).await? {
        join_role(conn, &name).await?;
        let sql = format!("CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {name}");
        tolerate(conn.execute(AssertSqlSafe(sql)).await, &["42P06", "23505"])?;
        run(conn, format!("REVOKE ALL ON SCHEMA {schema} FROM PUBLIC")).await?;
    }
    Ok(())
}

/// Only a member of a role, or a superuser, may give it a schema.
async fn join_role(conn: &mut PgConnection, name: &str) -> Result<(), sqlx::Error> {
    let superuser: bool =
        sqlx::query_scalar("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetch_one(&mut *conn).await?;
    if !superuser {
        run(conn, format!("GRANT {name} TO CURRENT_USER")).await?;
    }
    Ok(())
}

async fn exists(conn: &mut PgConnection, sql: &'static str, name: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(sql).bind(name).fetch_one(conn).await
}

fn tolerate<T>(outcome: Result<T, sqlx::Error>, states: &[&str]) -> Result<(), sqlx::Error> {
    match outcome {
        Err(error) if !has_state(&error, states) => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Runs a statement, again while another process changes the same row of the system catalog:
/// Postgres answers that with "tuple concurrently updated" (XX000) instead of waiting.
async fn run(conn: &mut PgConnection, sql: String) -> Result<(), sqlx::Error> {
    for tried in 1..RACE_ATTEMPTS {
        match conn.execute(AssertSqlSafe(sql.clone())).await {
            Err(error) if has_state(&error, &["XX000", "40001", "23505"]) => {}
            done => return done.map(|_| ()),
        }
        let pause = rand::random_range(1..=5 * tried);
        tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
    }
    conn.execute(AssertSqlSafe(sql)).await.map(|_| ())
}
