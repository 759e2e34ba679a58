//! What each payment token makes the sandbox do.

use std::time::{Duration, Instant};

use kontor_proto::kontor::payment::v1::payment::State;
use kontor_runtime::fault::ErrorReason;
use tonic::Code;

use crate::provider::{Sandbox, refusal, usd};

const STAGED: (Code, ErrorReason) = (Code::Unavailable, ErrorReason::DependencyUnavailable);

#[tokio::test]
async fn tok_decline_and_unknown_tokens_are_answers() {
    let Sandbox { client, .. } = &Sandbox::start(None).await;
    for (key, token, code) in [("a", "tok_decline", "card_declined"), ("b", "4242", "unknown_token")] {
        let payment = client.authorize(key, 79, token).await.unwrap();
        assert_eq!((payment.state(), payment.decline_code.as_str()), (State::Declined, code));
        assert_eq!(client.authorize(key, 79, token).await.unwrap(), payment);
    }
}

#[tokio::test]
async fn tok_slow_takes_two_seconds_and_its_repeat_none() {
    let Sandbox { client, .. } = &Sandbox::start(None).await;
    let begin = Instant::now();
    assert_eq!(client.authorize("a", 79, "tok_slow").await.unwrap().state(), State::Authorized);
    assert!(begin.elapsed() >= Duration::from_secs(2));
    let again = Instant::now();
    client.authorize("a", 79, "tok_slow").await.unwrap();
    assert!(again.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn tok_error_before_fails_once_and_does_nothing() {
    let Sandbox { client, .. } = &Sandbox::start(None).await;
    assert_eq!(refusal(client.authorize("a", 79, "tok_error_before").await), STAGED);
    assert_eq!(refusal(client.look_up("a").await).0, Code::NotFound);
    assert_eq!(client.authorize("a", 79, "tok_error_before").await.unwrap().state(), State::Authorized);
}

#[tokio::test]
async fn tok_error_after_does_it_and_fails_once() {
    let Sandbox { client, .. } = &Sandbox::start(None).await;
    assert_eq!(refusal(client.authorize("a", 79, "tok_error_after").await), STAGED);
    let done = client.look_up("a").await.unwrap();
    assert_eq!(done.state(), State::Authorized);
    assert_eq!(client.authorize("a", 79, "tok_error_after").await.unwrap(), done);
}

#[tokio::test]
async fn tok_timeout_does_it_and_says_nothing_once() {
    let Sandbox { client, .. } = &Sandbox::start(None).await;
    let silent = client.authorize_within(Duration::from_millis(500), "a", 79, "tok_timeout").await.unwrap_err();
    assert!(matches!(silent.code(), Code::DeadlineExceeded | Code::Cancelled), "{silent}");
    let done = client.look_up("a").await.unwrap();
    assert_eq!(done.state(), State::Authorized);
    assert_eq!(client.authorize("a", 79, "tok_timeout").await.unwrap(), done);
}

#[tokio::test]
async fn tok_review_is_authorised_after_five_seconds() {
    let Sandbox { client, clock, .. } = &Sandbox::start(None).await;
    for key in ["a", "b"] {
        assert_eq!(client.authorize(key, 79, "tok_review").await.unwrap().state(), State::InReview);
    }
    clock.advance(5);
    assert_eq!(client.authorize("a", 79, "tok_review").await.unwrap().state(), State::Authorized);
    assert_eq!(client.look_up("b").await.unwrap().state(), State::Authorized);
}

#[tokio::test]
async fn what_is_in_review_is_looked_up_as_such_and_can_be_let_go_but_not_taken() {
    let Sandbox { client, clock, .. } = &Sandbox::start(None).await;
    client.authorize("a", 79, "tok_review").await.unwrap();
    assert_eq!(client.look_up("a").await.unwrap().state(), State::InReview);
    let wrong_state = (Code::FailedPrecondition, ErrorReason::PaymentState);
    assert_eq!(refusal(client.capture("c", "a", usd(79)).await), wrong_state);
    assert_eq!(refusal(client.refund("r", "a", usd(79)).await), wrong_state);
    assert_eq!(client.void("v", "a").await.unwrap().state(), State::Voided);
    clock.advance(5);
    assert_eq!(client.look_up("a").await.unwrap().state(), State::Voided, "the person comes too late");
    assert_eq!(client.authorize("a", 79, "tok_review").await.unwrap().state(), State::Voided);
    assert_eq!(refusal(client.capture("c", "a", usd(79)).await), wrong_state);
}
