//! The contract's promises: repeats, reuse, one capture, voids, refunds.

use kontor_proto::google::r#type::Money;
use kontor_proto::kontor::payment::v1::payment::State;
use kontor_runtime::fault::ErrorReason;
use tonic::Code;
use tonic_types::StatusExt;

use crate::provider::{Sandbox, refusal, usd};

const REUSED: (Code, ErrorReason) = (Code::InvalidArgument, ErrorReason::IdempotencyKeyReused);
const WRONG_STATE: (Code, ErrorReason) = (Code::FailedPrecondition, ErrorReason::PaymentState);
const BAD_FIELD: (Code, ErrorReason) = (Code::InvalidArgument, ErrorReason::FieldViolation);

#[tokio::test]
async fn the_same_call_gives_the_first_answer_again() {
    let Sandbox { client, .. } = &Sandbox::start(None).await;
    let authorized = client.authorize("a", 79, "tok_approve").await.unwrap();
    assert_eq!(authorized.state(), State::Authorized);
    let captured = client.capture("c", "a", usd(79)).await.unwrap();
    assert_eq!((captured.state(), captured.captured_amount.clone()), (State::Captured, Some(usd(79))));
    assert_eq!(client.authorize("a", 79, "tok_approve").await.unwrap(), authorized);
    assert_eq!(client.capture("c", "a", usd(79)).await.unwrap(), captured);
    assert_eq!(client.look_up("a").await.unwrap(), captured);
}

#[tokio::test]
async fn a_key_with_another_request_is_refused() {
    let Sandbox { client, .. } = &Sandbox::start(None).await;
    client.authorize("a", 79, "tok_approve").await.unwrap();
    assert_eq!(refusal(client.authorize("a", 80, "tok_approve").await), REUSED);
    assert_eq!(refusal(client.authorize("a", 79, "tok_decline").await), REUSED);
    assert_eq!(refusal(client.capture("a", "a", usd(79)).await), REUSED);
    assert_eq!(refusal(client.void("a", "a").await), REUSED);
    assert_eq!(client.look_up("a").await.unwrap().state(), State::Authorized);

    client.capture("c", "a", usd(79)).await.unwrap();
    assert_eq!(refusal(client.refund("c", "a", usd(79)).await), REUSED);
    let refunded = client.refund("r", "a", usd(9)).await.unwrap();
    assert_eq!(refusal(client.refund("r", "a", usd(10)).await), REUSED);
    assert_eq!(refusal(client.refund("r", "b", usd(9)).await), REUSED);
    assert_eq!(refusal(client.authorize("r", 9, "tok_approve").await), REUSED);
    assert_eq!(client.look_up("a").await.unwrap(), refunded);
}

#[tokio::test]
async fn a_payment_is_captured_once_and_in_full() {
    let Sandbox { client, .. } = &Sandbox::start(None).await;
    client.authorize("a", 79, "tok_approve").await.unwrap();
    assert_eq!(refusal(client.capture("c", "a", usd(78)).await), BAD_FIELD);
    let euros = Money { currency_code: "EUR".into(), ..usd(79) };
    assert_eq!(refusal(client.capture("c", "a", euros).await), BAD_FIELD);
    client.capture("c", "a", usd(79)).await.unwrap();
    assert_eq!(refusal(client.capture("c2", "a", usd(79)).await), WRONG_STATE);
    assert_eq!(refusal(client.void("v", "a").await), WRONG_STATE);
}

#[tokio::test]
async fn of_many_captures_at_the_same_time_one_is_done() {
    let Sandbox { client, .. } = &Sandbox::start(None).await;
    client.authorize("a", 79, "tok_approve").await.unwrap();
    let calls = (0..32).map(|n| {
        let client = client.clone();
        tokio::spawn(async move { client.capture(&format!("c{n}"), "a", usd(79)).await })
    });
    let mut done = 0;
    for call in calls.collect::<Vec<_>>() {
        match call.await.unwrap() {
            Ok(_) => done += 1,
            refused => assert_eq!(refusal(refused), WRONG_STATE),
        }
    }
    assert_eq!(done, 1);
}

#[tokio::test]
async fn refunds_add_up_to_what_was_captured_at_most() {
    let Sandbox { client, .. } = &Sandbox::start(None).await;
    client.authorize("a", 79, "tok_approve").await.unwrap();
    assert_eq!(refusal(client.refund("r", "a", usd(1)).await), WRONG_STATE);
    client.capture("c", "a", usd(79)).await.unwrap();
    assert_eq!(refusal(client.refund("r", "a", usd(0)).await), BAD_FIELD);
    let part = client.refund("r1", "a", usd(50)).await.unwrap();
    assert_eq!((part.state(), part.refunded_amount), (State::Captured, Some(usd(50))));
    let too_much = client.refund("r2", "a", usd(30)).await.unwrap_err();
    let left = too_much.get_details_error_info().unwrap().metadata;
    assert_eq!((left["refundable"].as_str(), left["currency_code"].as_str()), ("29.00", "USD"));
    assert_eq!(refusal(Err(too_much)), WRONG_STATE);
    assert_eq!(client.refund("r1", "a", usd(50)).await.unwrap().refunded_amount, Some(usd(50)));
    let all = client.refund("r2", "a", usd(29)).await.unwrap();
    assert_eq!((all.state(), &all.refunded_amount), (State::Refunded, &Some(usd(79))));
    assert_eq!(refusal(client.refund("r3", "a", usd(1)).await), WRONG_STATE);
    assert_eq!(client.refund("r2", "a", usd(29)).await.unwrap(), all);
    assert_eq!(client.refund("r1", "a", usd(50)).await.unwrap().state(), State::Captured, "the first answer stays");
}

#[tokio::test]
async fn one_call_that_comes_many_times_at_once_is_done_once() {
    let Sandbox { client, .. } = &Sandbox::start(None).await;
    client.authorize("a", 79, "tok_approve").await.unwrap();
    client.capture("c", "a", usd(79)).await.unwrap();
    let calls = (0..16).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.refund("r", "a", usd(30)).await })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap().unwrap().refunded_amount, Some(usd(30)));
    }
    assert_eq!(client.look_up("a").await.unwrap().refunded_amount, Some(usd(30)));
}

#[tokio::test]
async fn amounts_beyond_what_can_be_counted_are_refused_and_the_largest_goes_through() {
    let Sandbox { client, .. } = &Sandbox::start(None).await;
    assert_eq!(refusal(client.authorize("a", i64::MAX, "tok_approve").await), BAD_FIELD);
    let largest = i64::MAX / 100;
    assert_eq!(refusal(client.authorize("a", largest + 1, "tok_approve").await), BAD_FIELD);
    client.authorize("a", largest, "tok_approve").await.unwrap();
    assert_eq!(refusal(client.capture("c", "a", usd(i64::MAX)).await), BAD_FIELD);
    assert_eq!(client.capture("c", "a", usd(largest)).await.unwrap().captured_amount, Some(usd(largest)));
    client.refund("r1", "a", usd(largest - 1)).await.unwrap();
    assert_eq!(refusal(client.refund("r2", "a", usd(largest)).await), WRONG_STATE);
    assert_eq!(refusal(client.refund("r2", "a", usd(-1)).await), BAD_FIELD);
    let all = client.refund("r2", "a", usd(1)).await.unwrap();
    assert_eq!((all.state(), all.refunded_amount), (State::Refunded, Some(usd(largest))));
}

#[tokio::test]
async fn what_was_voided_before_it_was_asked_for_is_declined() {
    let Sandbox { client, .. } = &Sandbox::start(None).await;
    assert_eq!(client.void("v", "a").await.unwrap().state(), State::Voided);
    let late = client.authorize("a", 79, "tok_approve").await.unwrap();
    assert_eq!((late.state(), late.decline_code.as_str()), (State::Declined, "voided"));
    assert_eq!(refusal(client.capture("c", "a", usd(79)).await), WRONG_STATE);
}

#[tokio::test]
async fn an_authorisation_that_never_was_is_not_found() {
    let Sandbox { client, .. } = &Sandbox::start(None).await;
    let not_found = (Code::NotFound, ErrorReason::ResourceNotFound);
    assert_eq!(refusal(client.look_up("a").await), not_found);
    assert_eq!(refusal(client.capture("c", "a", usd(1)).await), not_found);
    assert_eq!(refusal(client.refund("r", "a", usd(1)).await), not_found);
    assert_eq!(refusal(client.authorize("a", 0, "tok_approve").await), BAD_FIELD);
    assert_eq!(refusal(client.look_up("a").await), not_found);
    // Only the key of an authorisation names one; a void names the one it keeps from coming.
    client.void("v", "a").await.unwrap();
    assert_eq!(client.look_up("a").await.unwrap().state(), State::Voided);
    assert_eq!(refusal(client.look_up("v").await), not_found);
}
