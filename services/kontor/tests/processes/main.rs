//! Kontor as its users run it: real processes, a real Postgres, signals and SIGKILL.
//!
//! | module | room for |
//! |---|---|
//! | [`accounts`] | an account, from sign-up to its end, and what is logged of it |
//! | [`restart`], [`crash`], [`conflicts`], [`external`] | the life of `kontor up` |
//! | [`mail`] | mail through a mail server |
//! | [`command_line`], [`import`], [`operator`], [`rotate_keys`] | the operator's other commands |
//! | [`metrics`] | what a collector is told |
//! | [`plumbing`], [`readiness`], [`starts`], [`takeover`] | the services as separate processes |
//! | [`traces`] | one purchase, one trace; in one process and in five |
//! | [`apart`], [`data_dir`], [`launcher`], [`otlp_http`], [`shop`], [`span_tree`] | what they share |
//!
//! The separate processes are programs of other packages, which cargo builds for this test only when the whole workspace is tested.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends where it fails")]

mod accounts;
mod apart;
mod command_line;
mod conflicts;
mod crash;
mod data_dir;
mod external;
mod import;
mod launcher;
mod mail;
mod metrics;
mod operator;
mod otlp_http;
mod plumbing;
mod readiness;
mod restart;
mod rotate_keys;
mod shop;
mod span_tree;
mod starts;
mod takeover;
mod traces;
