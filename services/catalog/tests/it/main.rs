//! The catalog as its callers meet it: over gRPC, on a real Postgres, with tokens of a real issuer.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, wherever the code for it stands")]

mod access;
mod adjusting;
mod events;
mod expiry;
mod files;
mod imports;
mod logs;
mod migrations;
mod overload;
mod products;
mod races;
mod reservations;
mod returns;
mod revocations;
mod shop;
mod variants;
