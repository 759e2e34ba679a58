//! Tokens, what auth says of them, and connections, over real sockets.
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod connections;
mod forged;
mod freshness;
mod identity;
mod keys;

use kontor_runtime::fault::{ErrorReason, reason_of};
use kontor_runtime::{Verifier, peer};
use kontor_testkit::Issuer;
use kontor_testkit::issuer::ISSUER;
use tonic::{Code, Status};

fn verifier(issuer: &Issuer) -> Verifier {
    Verifier::remote(ISSUER, peer::channel(&issuer.addr.to_string()).unwrap())
}

/// Asserts the code and the reason of a refusal.
fn assert_refused<T: std::fmt::Debug>(answer: Result<T, Status>, code: Code, reason: ErrorReason, what: &str) {
    let status = answer.unwrap_err();
    assert_eq!((status.code(), reason_of(&status)), (code, Some(reason)), "{what}: {status:?}");
}
