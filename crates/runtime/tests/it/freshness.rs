//! What is heard from auth, and that nothing is known when nothing is heard.

use std::time::Duration;

use kontor_proto::kontor::auth::v1::{Jwks, Revocation, WatchRevocationsResponse};
use kontor_runtime::Verifier;
use kontor_runtime::fault::ErrorReason::{DependencyUnavailable, TokenRevoked};
use kontor_testkit::Issuer;
use kontor_testkit::issuer::ISSUER;
use kontor_types::ids::{UserId, new_uuid};
use tokio::time::{Instant, sleep};
use tonic::Code;

use crate::assert_refused;

fn heard(kids: &[&str], revoked: &[uuid::Uuid]) -> WatchRevocationsResponse {
    let revocation = |sid: &uuid::Uuid| Revocation { sid: sid.to_string(), expire_time: None };
    WatchRevocationsResponse {
        revocations: revoked.iter().map(revocation).collect(),
        kids: kids.iter().map(ToString::to_string).collect(),
    }
}

#[tokio::test(start_paused = true)]
async fn five_seconds_after_the_last_word_it_knows_too_little() {
    let verifier = Verifier::local(ISSUER);
    assert_refused(verifier.fresh().await, Code::Unavailable, DependencyUnavailable, "nothing was heard yet");
    for _ in 0..3 {
        verifier.apply(&heard(&[], &[]));
        sleep(Duration::from_millis(4999)).await;
        verifier.fresh().await.unwrap();
    }
    sleep(Duration::from_millis(1)).await;
    let began = Instant::now();
    assert_refused(verifier.fresh().await, Code::Unavailable, DependencyUnavailable, "nothing was heard for long");
    assert_eq!(began.elapsed(), Duration::ZERO, "and says so at once");
}

#[tokio::test(start_paused = true)]
async fn the_first_word_is_waited_for() {
    let verifier = Verifier::local(ISSUER);
    let speak = async {
        sleep(Duration::from_secs(1)).await;
        verifier.apply(&heard(&[], &[]));
    };
    let (fresh, ()) = tokio::join!(verifier.fresh(), speak);
    fresh.unwrap();
}

#[tokio::test(start_paused = true)]
async fn after_the_stream_has_ended_the_next_word_is_waited_for() {
    let verifier = Verifier::local(ISSUER);
    verifier.apply(&heard(&[], &[]));
    verifier.fresh().await.unwrap();
    verifier.lost();
    assert_refused(verifier.fresh().await, Code::Unavailable, DependencyUnavailable, "something may have been revoked");
    let speak = async {
        sleep(Duration::from_secs(1)).await;
        verifier.apply(&heard(&[], &[]));
    };
    let (fresh, ()) = tokio::join!(verifier.fresh(), speak);
    fresh.unwrap();
}

#[tokio::test]
async fn a_revoked_session_is_refused_and_others_are_not() {
    let issuer = Issuer::start().await;
    let verifier = Verifier::local(ISSUER);
    verifier.set_keys(&Jwks { keys: vec![issuer.jwk()] });
    let (session, user) = (new_uuid(), UserId::generate());
    let (before, after) = (issuer.user_in(session, user, &[]), issuer.user_in(session, user, &["order.read"]));
    let others = [issuer.user_in(new_uuid(), user, &[]), issuer.user(user, &[])];
    verifier.verify(&before).await.unwrap();
    verifier.apply(&heard(&["test"], &[session]));
    // What is told later takes nothing back.
    verifier.apply(&heard(&["test"], &[]));
    for token in [&before, &after] {
        assert_refused(verifier.verify(token).await, Code::Unauthenticated, TokenRevoked, "revoked");
    }
    for token in &others {
        verifier.verify(token).await.unwrap();
    }
}
