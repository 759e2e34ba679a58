//! The service over real sockets, on a real Postgres.
#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod access;
mod clean;
mod keys;
mod refresh;
mod replicas;
mod services;
mod sign_in;
mod sign_up;
mod users;
mod watch;
mod world;
