//! All of Kontor at work: edge, auth, catalog, order and payment provider on a Postgres, asked over HTTP and gRPC as callers ask.
//!
//! The tests share one stack, and each buys goods of its own, so that none disturbs another.

#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test ends where it fails")]

mod access;
mod afterwards;
mod answer;
mod api;
mod buyer;
mod carts;
mod forged_tokens;
mod goods;
mod imports;
mod last_units;
mod mails;
mod nul;
mod orders;
mod payments;
mod people;
mod products;
mod purchases;
mod repeats;
mod requests;
mod revoked;
mod signing_key;
mod stack;
mod sweep;
