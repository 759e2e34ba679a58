//! Verifying access tokens.

use std::time::{Duration, Instant};

use kontor_proto::kontor::auth::v1::{Revocation, WatchRevocationsResponse};
use kontor_runtime::{Error, Verifier, peer};
use kontor_testkit::Issuer;
use kontor_testkit::issuer::ISSUER;
use kontor_types::ids::{UserId, new_uuid};

use crate::table::Table;

const PERMISSIONS: [&str; 8] = [
    "catalog.edit",
    "catalog.watch",
    "inventory.adjust",
    "order.cancel",
    "order.read",
    "order.refund",
    "order.watch",
    "user.read",
];
/// How many sessions have been revoked while tokens of others are verified.
const REVOKED: usize = 10_000;
const ROUNDS: usize = 20;

pub(crate) async fn run(tokens: usize) -> Result<Table, Error> {
    let issuer = Issuer::start().await;
    let verifier = Verifier::remote(ISSUER, peer::channel(&issuer.addr.to_string())?);
    // The keys are fetched now.
    verifier.verify(&issuer.user(UserId::generate(), &[])).await?;
    let token = |_| issuer.user_in(new_uuid(), UserId::generate(), &PERMISSIONS);
    let tokens: Vec<_> = (0..tokens).map(token).collect();

    let mut table = Table::new(&["verifying", "tokens", "p50", "p99", "longest"]);
    table.times("the first time", round(&verifier, &tokens).await?);
    table.times("seen before", rounds(&verifier, &tokens).await?);
    let revocation = |_| Revocation { sid: new_uuid().to_string(), expire_time: None };
    let heard =
        WatchRevocationsResponse { revocations: (0..REVOKED).map(revocation).collect(), kids: vec![issuer.jwk().kid] };
    verifier.apply(&heard);
    table.times(&format!("seen before, {REVOKED} sessions revoked"), rounds(&verifier, &tokens).await?);
    Ok(table)
}

async fn rounds(verifier: &Verifier, tokens: &[String]) -> Result<Vec<Duration>, Error> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        times.extend(round(verifier, tokens).await?);
    }
    Ok(times)
}

async fn round(verifier: &Verifier, tokens: &[String]) -> Result<Vec<Duration>, Error> {
    let mut times = Vec::with_capacity(tokens.len());
    for token in tokens {
        let begun = Instant::now();
        verifier.verify(token).await?;
        times.push(begun.elapsed());
    }
    Ok(times)
}
