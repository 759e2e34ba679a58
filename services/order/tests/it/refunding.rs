//! Giving money back: once for each key, never more than was taken, whatever is lost on the way.

use kontor_proto::kontor::order::v1 as pb;
use kontor_runtime::fault::{self, ErrorReason};
use kontor_types::ids::new_uuid;
use pb::order::State;
use pb::order_refund::State as Given;
use tonic::{Code, Status};

use crate::peers::{Peers, Trouble};
use crate::world::{World, dollars, request};

/// A refund of so many dollars, or of all that is left; and so many units back into stock.
fn refund(order: &pb::Order, units: Option<i64>, restock: i32) -> pb::RefundOrderRequest {
    let line = pb::RestockLine { variant: order.lines[0].variant.clone(), quantity: restock };
    pb::RefundOrderRequest {
        name: order.name.clone(),
        amount: units.and_then(dollars),
        restock: if restock == 0 { Vec::new() } else { vec![line] },
        reason: "it came broken".into(),
        request_id: new_uuid().to_string(),
    }
}

async fn completed(world: &World) -> pb::Order {
    let order = world.place(&world.cart().await, "tok").await.unwrap();
    assert_eq!(order.state(), State::Completed);
    order
}

fn reason(refused: &Status) -> Option<ErrorReason> {
    fault::reason_of(refused)
}

#[tokio::test]
async fn a_part_and_then_the_rest_is_given_back_and_nothing_more() {
    let world = World::with(Peers::selling(700, 5)).await;
    let order = completed(&world).await;
    let part = world.refund(&refund(&order, Some(2), 0)).await.unwrap();
    assert_eq!(part.payment.unwrap().refunded_amount, dollars(2));
    assert_eq!((part.refunds[0].state(), part.refunds[0].reason.as_str()), (Given::Succeeded, "it came broken"));

    let too_much = world.refund(&refund(&order, Some(6), 0)).await.unwrap_err();
    assert_eq!((too_much.code(), reason(&too_much)), (Code::FailedPrecondition, Some(ErrorReason::RefundTooLarge)));

    let rest = world.refund(&refund(&order, None, 1)).await.unwrap();
    assert_eq!((rest.refunds.len(), rest.payment.unwrap().refunded_amount), (2, dollars(7)));
    assert_eq!((world.peers.refunded(), world.peers.books().0), (7, 5), "the unit is back in stock");

    let nothing_left = world.refund(&refund(&order, None, 0)).await.unwrap_err();
    assert_eq!(reason(&nothing_left), Some(ErrorReason::RefundTooLarge));
}

#[tokio::test]
async fn one_key_is_one_refund_however_often_it_is_sent_and_two_keys_are_two() {
    let world = World::with(Peers::selling(700, 5)).await;
    let order = completed(&world).await;
    let once = refund(&order, Some(3), 0);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (world_orders, once) = (world.refunder(), once.clone());
        calls.spawn(async move { world_orders(once).await.unwrap() });
    }
    let orders = calls.join_all().await;
    assert!(orders.iter().all(|order| order.refunds.len() == 1), "{orders:?}");
    assert_eq!(world.peers.refunded(), 3);

    let again = pb::RefundOrderRequest { amount: dollars(4), ..once };
    let reused = world.refund(&again).await.unwrap_err();
    assert_eq!((reused.code(), reason(&reused)), (Code::InvalidArgument, Some(ErrorReason::IdempotencyKeyReused)));

    let second = world.refund(&refund(&order, Some(3), 0)).await.unwrap();
    assert_eq!((second.refunds.len(), world.peers.refunded()), (2, 6));
}

#[tokio::test]
async fn many_refunds_at_once_never_add_up_to_more_than_was_taken() {
    let world = World::with(Peers::selling(700, 5)).await;
    let order = completed(&world).await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let (refund_order, request) = (world.refunder(), refund(&order, Some(2), 0));
        calls.spawn(async move { refund_order(request).await.map_err(|refused| reason(&refused)) });
    }
    let answers = calls.join_all().await;
    let refused = answers.iter().filter(|answer| **answer == Err(Some(ErrorReason::RefundTooLarge))).count();
    assert_eq!((answers.iter().filter(|answer| answer.is_ok()).count(), refused), (3, 9));
    world.until("SELECT count(*) FROM orders WHERE refunded_minor = 600").await;
    assert_eq!(world.peers.refunded(), 6);
}

#[tokio::test]
async fn a_lost_call_or_answer_gives_nothing_twice() {
    let world = World::with(Peers::selling(700, 20)).await;
    for method in ["Refund", "ReturnStock", "LookUp"] {
        for trouble in [Trouble::Before, Trouble::After] {
            let order = completed(&world).await;
            let (given, left) = (world.peers.refunded(), world.peers.books().0);
            world.peers.trouble(method, trouble);
            // So that there is something to look up.
            world.peers.trouble("Refund", Trouble::After);
            let answer = world.refund(&refund(&order, None, 1)).await.unwrap();
            assert_eq!(answer.refunds[0].state(), Given::Succeeded, "{method} {trouble:?}");
            assert_eq!((world.peers.refunded() - given, world.peers.books().0 - left), (7, 1), "{method} {trouble:?}");
        }
    }
}

#[tokio::test]
async fn a_refund_that_the_provider_refuses_has_failed_and_stock_stays() {
    let world = World::with(Peers::selling(700, 5)).await;
    let order = world.place(&world.cart().await, "tok_final").await.unwrap();
    let answer = world.refund(&refund(&order, None, 1)).await.unwrap();
    assert_eq!(answer.refunds[0].state(), Given::Failed);
    assert!(answer.refunds[0].failure.contains("can't be refunded"), "{:?}", answer.refunds[0]);
    assert_eq!(answer.payment.unwrap().refunded_amount, dollars(0));
    assert_eq!((world.peers.refunded(), world.peers.books().0), (0, 4));
    // What failed does not count: it may be tried again.
    assert_eq!(world.refund(&refund(&order, None, 1)).await.unwrap().refunds.len(), 2);
}

#[tokio::test]
async fn what_was_not_completed_or_does_not_exist_is_not_refunded() {
    let world = World::with(Peers::selling(700, 5)).await;
    for token in ["tok_decline", "tok_review"] {
        let asked = request(&world.cart().await, token);
        let order = match token {
            "tok_review" => world.place_for_review(asked).await,
            _ => world.orders.clone().place_order(asked).await.unwrap().into_inner(),
        };
        let refused = world.refund(&refund(&order, None, 0)).await.unwrap_err();
        assert_eq!(reason(&refused), Some(ErrorReason::OrderState), "{token}");
    }
    let mut order = completed(&world).await;
    let unknown_units = pb::RefundOrderRequest {
        restock: vec![pb::RestockLine { variant: order.lines[0].variant.clone(), quantity: 2 }],
        ..refund(&order, None, 0)
    };
    let refused = world.refund(&unknown_units).await.unwrap_err();
    assert_eq!(reason(&refused), Some(ErrorReason::RestockTooLarge));
    let keyless = pb::RefundOrderRequest { request_id: String::new(), ..refund(&order, None, 0) };
    assert_eq!(world.refund(&keyless).await.unwrap_err().code(), Code::InvalidArgument);
    let overflowing = pb::RefundOrderRequest { amount: dollars(i64::MAX), ..refund(&order, None, 0) };
    assert_eq!(world.refund(&overflowing).await.unwrap_err().code(), Code::InvalidArgument);
    order.name = "orders/01890000-0000-7000-8000-000000000000".into();
    assert_eq!(world.refund(&refund(&order, None, 0)).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(world.peers.refunded(), 0);
}

#[tokio::test]
async fn a_refund_goes_on_after_a_restart() {
    let mut world = World::with(Peers::selling(700, 5)).await;
    let order = completed(&world).await;
    for _ in 0..5 {
        world.peers.trouble("Refund", Trouble::Before);
    }
    let (refund_order, request) = (world.refunder(), refund(&order, None, 1));
    let asking = tokio::spawn(async move { refund_order(request).await });
    world.until("SELECT count(*) FROM refunds").await;
    world.restart().await;
    let _ = asking.await;
    world.until("SELECT count(*) FROM refunds WHERE state = 'SUCCEEDED'").await;
    assert_eq!((world.peers.refunded(), world.peers.books().0), (7, 5));
}
