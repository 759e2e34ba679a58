//! The order service over real sockets and a real Postgres, between peers that can be told to fail: what real ones do only when
//! nobody looks. Purchases among real peers are in services/kontor/tests.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on fails")]

mod cancelling;
mod carts;
mod contradictions;
mod driving;
mod events;
mod fencing;
mod history;
mod metrics;
mod peers;
mod placing;
mod provider;
mod refunding;
mod world;

#[test]
fn each_migration_is_named() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
    kontor_postgres::migrations::assert_complete(&kontor_order::migrations(), folder.as_ref());
}
