//! The service over real sockets, on a real Postgres.
#![expect(clippy::unwrap_used, reason = "a test ends where it fails")]

mod access;
mod admin;
mod audit;
mod clean;
mod flood;
mod input;
mod keys;
mod metrics;
mod operators;
mod passwords;
mod people;
mod races;
mod refresh;
mod replicas;
mod roles;
mod second_factor;
mod service_accounts;
mod services;
mod sessions;
mod sign_in;
mod sign_up;
mod smtp;
mod throttle;
mod users;
mod watch;
mod world;

#[test]
fn each_migration_is_named() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    kontor_postgres::migrations::assert_complete(&kontor_auth::migrations(), folder.as_ref());
}
