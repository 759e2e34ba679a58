//! One private Postgres for a whole test run, however many processes the run has.
//!
//! The first process starts it below the target folder, the others join; a small watcher removes
//! it when nobody has been connected for about twenty seconds. Every test makes databases of its
//! own on it, which go with it. Nothing on it is durable.
//!
//! ```no_run
//! # async fn example() -> Result<(), kontor_postgres::Error> {
//! use kontor_postgres::{PoolOptions, connect, testing};
//!
//! let catalog = testing::role("kontor_catalog", "catalog");
//! let database = testing::server().await?.database(std::slice::from_ref(&catalog)).await?;
//! let pool = connect(&PoolOptions::new(database.url(&catalog))).await?;
//! # Ok(())
//! # }
//! ```

mod folder;
mod shared;
mod watcher;

use std::time::Duration;

use secrecy::ExposeSecret;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};
use tokio::sync::OnceCell;
use url::Url;

use crate::bootstrap::with_login;
use crate::error::has_state;
use crate::quote::identifier;
use crate::secret_url::SecretUrl;
use crate::{Error, Role, bootstrap};

/// How often a database is tried to be made while its template is in use by another test.
const CREATE_ATTEMPTS: u32 = 50;

/// Starts or joins the run's Postgres. It stays until this process has ended.
///
/// # Errors
/// When Postgres cannot be started, or `psql` is missing.
pub async fn server() -> Result<TestServer, Error> {
    static SHARED: OnceCell<shared::Shared> = OnceCell::const_new();
    let shared = SHARED.get_or_try_init(shared::join).await?;
    Ok(TestServer { admin_url: shared.admin_url.clone() })
}

/// A role with the one password that all tests use: roles are the server's, not the database's,
/// so all processes must agree on it.
pub fn role(name: &'static str, schema: &'static str) -> Role {
    Role::new(name, schema, "kontor-test".into())
}

/// The run's Postgres.
#[derive(Debug, Clone)]
pub struct TestServer {
    admin_url: SecretUrl,
}

impl TestServer {
    /// Makes an empty database with these roles and their schemas.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn database(&self, roles: &[Role]) -> Result<TestDatabase, Error> {
        let name = format!("t_{:016x}", rand::random::<u64>());
        create_database(&self.admin_url, &name).await?;
        let admin_url = self.admin_url.with_database(&name);
        bootstrap(admin_url.as_str(), roles).await?;
        Ok(TestDatabase { admin_url })
    }

    /// The administrator's URL, in the database `postgres`.
    pub fn admin_url(&self) -> String {
        self.admin_url.to_string()
    }
}

/// A database of one test's own.
#[derive(Debug, Clone)]
pub struct TestDatabase {
    admin_url: SecretUrl,
}

impl TestDatabase {
    /// The URL of one of the roles that the database was made with.
    pub fn url(&self, role: &Role) -> String {
        with_login(self.admin_url.0.clone(), role.name, role.password.expose_secret())
    }

    /// The administrator's URL: a superuser.
    pub fn admin_url(&self) -> String {
        self.admin_url.to_string()
    }
}

async fn create_database(admin_url: &Url, name: &str) -> Result<(), sqlx::Error> {
    let mut conn = sqlx::postgres::PgConnectOptions::from_url(admin_url)?.connect().await?;
    let sql = format!("CREATE DATABASE {} TEMPLATE template0", identifier(name));
    for _ in 1..CREATE_ATTEMPTS {
        match conn.execute(AssertSqlSafe(sql.clone())).await {
            Err(error) if has_state(&error, &["55006", "XX000"]) => {}
            done => return done.map(|_| ()),
        }
        let pause = Duration::from_millis(rand::random_range(10..=100));
        tokio::time::sleep(pause).await;
    }
    conn.execute(AssertSqlSafe(sql)).await?;
    conn.close().await
}
