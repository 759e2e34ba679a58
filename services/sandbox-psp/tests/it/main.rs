//! The provider over real sockets, called as Kontor's services call it.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test ends where it fails")]

mod access;
mod calls;
mod provider;
mod restart;
mod tokens;
