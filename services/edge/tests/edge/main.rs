//! The edge over real sockets: HTTP in front, and behind it a gRPC server with services of the contract that tell
//! what they were asked.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that can't go on ends")]

mod catalog;
mod errors;
mod methods;
mod metrics;
mod order;
mod origin;
mod ready;
mod refusals;
mod requests;
mod server;
mod startup;
mod support;
mod trace;
mod upload;
