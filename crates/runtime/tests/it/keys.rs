//! When keys are fetched.

use std::time::Duration;

use jsonwebtoken::Header;
use kontor_proto::kontor::auth::v1::{Jwks, WatchRevocationsResponse};
use kontor_runtime::Verifier;
use kontor_runtime::fault::ErrorReason::TokenInvalid;
use kontor_testkit::Issuer;
use kontor_testkit::issuer::{ISSUER, claims, header};
use kontor_types::ids::{UserId, new_uuid};
use tokio::task::JoinSet;
use tokio::time::{advance, pause, resume};
use tonic::Code;

use crate::{assert_refused, verifier};

/// Fifty tokens, each of another key that there is not, all at once.
async fn fifty_unknown(issuer: &Issuer, verifier: &std::sync::Arc<Verifier>) {
    let mut calls = JoinSet::new();
    for _ in 0..50 {
        let header = Header { kid: Some(new_uuid().to_string()), ..header() };
        let token = issuer.sign_as(&header, &claims(&UserId::generate().to_string(), ""));
        let verifier = verifier.clone();
        calls.spawn(async move { verifier.verify(&token).await });
    }
    while let Some(answer) = calls.join_next().await {
        assert_refused(answer.unwrap(), Code::Unauthenticated, TokenInvalid, "an unknown key");
    }
}

#[tokio::test]
async fn unknown_keys_make_one_fetch_in_ten_seconds() {
    let issuer = Issuer::start().await;
    let verifier = std::sync::Arc::new(verifier(&issuer));
    fifty_unknown(&issuer, &verifier).await;
    assert_eq!(issuer.fetches(), 1);
    fifty_unknown(&issuer, &verifier).await;
    assert_eq!(issuer.fetches(), 1);
    // Nor do they keep a good token waiting.
    verifier.verify(&issuer.user(UserId::generate(), &[])).await.unwrap();
    assert_eq!(issuer.fetches(), 1);

    pause();
    advance(Duration::from_secs(10)).await;
    resume();
    fifty_unknown(&issuer, &verifier).await;
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn a_key_that_counts_no_more_is_not_taken_from_one_who_has_not_heard_of_it() {
    let issuer = Issuer::start().await;
    let verifier = verifier(&issuer);
    let token = issuer.user(UserId::generate(), &[]);
    verifier.verify(&token).await.unwrap();
    verifier.apply(&WatchRevocationsResponse { revocations: Vec::new(), kids: vec!["another".into()] });
    assert_refused(verifier.verify(&token).await, Code::Unauthenticated, TokenInvalid, "dropped");
    pause();
    advance(Duration::from_secs(10)).await;
    resume();
    // Now it would be fetched, if only it counted.
    let kids = vec!["another".into()];
    verifier.apply(&WatchRevocationsResponse { revocations: Vec::new(), kids });
    assert_refused(verifier.verify(&token).await, Code::Unauthenticated, TokenInvalid, "dropped");
    assert_eq!(issuer.fetches(), 2);
}

#[tokio::test]
async fn a_local_verifier_knows_what_it_is_given() {
    let issuer = Issuer::start().await;
    let verifier = Verifier::local(ISSUER);
    let token = issuer.user(UserId::generate(), &[]);
    assert_refused(verifier.verify(&token).await, Code::Unauthenticated, TokenInvalid, "no key");
    verifier.set_keys(&Jwks { keys: vec![issuer.jwk()] });
    verifier.verify(&token).await.unwrap();
    verifier.set_keys(&Jwks::default());
    assert_refused(verifier.verify(&token).await, Code::Unauthenticated, TokenInvalid, "its key is gone");
    assert_eq!(issuer.fetches(), 0);
}
