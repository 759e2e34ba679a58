//! What every service does the same way with Postgres, and a private server to try things on.
//!
//! | module | room for |
//! |---|---|
//! | [`pool`] | connections: limits, timeouts, a check of those that lay idle |
//! | [`mod@migrations`], [`mod@migrate`], [`schema`] | a schema: compared with what a program knows, and brought up to date by one process at a time |
//! | [`readiness`] | whether a service can work with its database now, and if not, why |
//! | [`mod@retry`] | whole transactions repeated after a conflict |
//! | [`idempotency`] | answers kept, so that calls are safe to repeat |
//! | [`outbox`] | events written in the transaction that makes them true, and read in order |
//! | [`mod@bootstrap`] | roles and schemas, made by an administrator |
//! | [`server`] | a private Postgres for `kontor up` and for tests |
//! | `testing` | one such server for a whole test run (feature `testing`) |
//!
//! Only plain SQL that also runs on CockroachDB and YugabyteDB: no advisory locks, no
//! LISTEN/NOTIFY, no serial ids.

pub mod bootstrap;
pub mod error;
pub mod idempotency;
mod metrics;
pub mod migrate;
pub mod migrations;
pub mod outbox;
pub mod pool;
mod quote;
pub mod readiness;
pub mod retry;
mod row;
pub mod schema;
mod secret_url;
pub mod server;
#[cfg(feature = "testing")]
pub mod testing;

pub use bootstrap::{Role, bootstrap, create_database, role_of_others, role_url};
pub use error::{Error, StoreError, constraint, ensure_affected, is_outage, text};
pub use metrics::DURATION_BOUNDS;
pub use migrate::{migrate, migrate_or_compare};
pub use migrations::Migrations;
pub use pool::{Pool, PoolOptions, connect, connect_lazy, with_timeout};
pub use retry::{Transient, retry};
pub use schema::SchemaState;
