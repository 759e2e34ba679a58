//! The service over real sockets, on a real Postgres.
#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod access;
mod admin;
mod audit;
mod clean;
mod keys;
mod operators;
mod refresh;
mod replicas;
mod roles;
mod service_accounts;
mod services;
mod sign_in;
mod sign_up;
mod users;
mod watch;
mod world;
