//! The crate against a real Postgres.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test ends where it fails")]

mod bootstrap;
mod feed;
mod outages;
mod outbox;
mod pool;
mod server;
mod server_privacy;
mod shared_server;
mod transactions;
