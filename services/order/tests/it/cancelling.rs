//! Calling orders off: before the units are taken it works, and leaves nothing behind; after that it does not.

use kontor_proto::kontor::catalog::v1::reservation::State as Reserved;
use kontor_proto::kontor::order::v1 as pb;
use kontor_proto::kontor::payment::v1::payment::State as Paid;
use kontor_runtime::fault::{self, ErrorReason};
use kontor_types::ids::{UserId, new_uuid};
use pb::order::State;
use tonic::Code;

use crate::peers::{Peers, Trouble};
use crate::world::{World, request};

#[tokio::test]
async fn an_order_under_review_is_called_off_and_leaves_nothing_behind() {
    let world = World::with(Peers::selling(700, 1)).await;
    let cart = world.cart().await;
    let placed = world.place_for_review(request(&cart, "tok_review")).await;
    assert_eq!(placed.state(), State::Processing);

    let cancelled = world.cancel(&placed.name, "changed my mind", None).await.unwrap();
    assert_eq!(cancelled.state(), State::Cancelled);
    assert_eq!(cancelled.cancellation.unwrap().reason, "changed my mind");
    assert_eq!((world.peers.books(), world.peers.payments()), ((1, vec![Reserved::Released], 0), vec![Paid::Voided]));
    // The cart is open again.
    assert_eq!(world.place(&cart, "tok").await.unwrap().state(), State::Completed);
    // Accepted, called off, ended; accepted, ended.
    assert_eq!(world.count("SELECT count(*) FROM outbox_events").await, 3 + 2);
}

#[tokio::test]
async fn an_order_is_called_off_between_its_drivers_steps_and_the_driver_is_refused() {
    let world = World::with(Peers::selling(700, 1)).await;
    let cart = world.cart().await;
    world.peers.hold_authorizations();
    let (mut orders, asked) = (world.orders.clone(), request(&cart, "tok"));
    let placing = tokio::spawn(async move { orders.place_order(asked).await.unwrap().into_inner() });
    world.until("SELECT count(*) FROM sagas").await;
    let name = world.only_order().await;

    let cancelled = world.cancel(&name, "", None).await.unwrap();
    assert_eq!(cancelled.state(), State::Cancelled);
    world.peers.open_gate();
    assert_eq!(placing.await.unwrap().state(), State::Cancelled, "who placed it is told, too");
    assert_eq!(world.peers.books(), (1, vec![Reserved::Released], 0));
}

#[tokio::test]
async fn an_order_whose_units_are_taken_is_completed_all_the_same() {
    let world = World::with(Peers::selling(700, 1)).await;
    let cart = world.cart().await;
    // The answer to the confirmation is lost, and the next ones, so that the order stays between the pivot and its completion.
    world.peers.trouble("ConfirmReservation", Trouble::After);
    for _ in 0..4 {
        world.peers.trouble("ConfirmReservation", Trouble::Before);
    }
    let (mut orders, asked) = (world.orders.clone(), request(&cart, "tok"));
    let placing = tokio::spawn(async move { orders.place_order(asked).await.unwrap().into_inner() });
    world.until_called("ConfirmReservation").await;
    let name = world.only_order().await;

    let refused = world.cancel(&name, "too late", None).await.unwrap_err();
    assert_eq!(fault::reason_of(&refused), Some(ErrorReason::OrderState));
    placing.await.unwrap();
    let order = world.ended(&name).await;
    assert_eq!((order.state(), order.cancellation), (State::Completed, None));
    assert_eq!(world.peers.books(), (0, vec![Reserved::Confirmed], 1));
    assert_eq!(world.count("SELECT count(*) FROM order_history WHERE kind = 'WENT_FORWARD'").await, 1);
}

#[tokio::test]
async fn what_has_ended_is_not_called_off() {
    let world = World::with(Peers::selling(700, 5)).await;
    for (token, state) in [("tok", State::Completed), ("tok_decline", State::Rejected)] {
        let order = world.place(&world.cart().await, token).await.unwrap();
        let refused = world.cancel(&order.name, "", None).await.unwrap_err();
        assert_eq!((refused.code(), fault::reason_of(&refused)), {
            (Code::FailedPrecondition, Some(ErrorReason::OrderState))
        });
        assert_eq!(world.ended(&order.name).await.state(), state, "{token}");
    }
}

#[tokio::test]
async fn a_repeated_cancellation_is_one_and_its_key_is_for_nothing_else() {
    let world = World::with(Peers::selling(700, 5)).await;
    let placed = world.place_for_review(request(&world.cart().await, "tok_review")).await;
    let key = new_uuid().to_string();
    for _ in 0..3 {
        let order = world.cancel(&placed.name, "twice", Some(&key)).await.unwrap();
        assert_eq!(order.state(), State::Cancelled);
    }
    assert_eq!(world.count("SELECT count(*) FROM order_history WHERE kind = 'CANCELLATION_REQUESTED'").await, 1);
    let other = world.cancel(&placed.name, "another reason", Some(&key)).await.unwrap_err();
    assert_eq!(fault::reason_of(&other), Some(ErrorReason::IdempotencyKeyReused));
}

#[tokio::test]
async fn anothers_order_is_not_found_and_an_unknown_one_neither() {
    let world = World::with(Peers::selling(700, 5)).await;
    let (buyer, other) = (UserId::generate(), UserId::generate());
    let placed = world.place_for_review_as(buyer).await;
    let by = |user, permissions: &'static [&'static str]| world.cancel_as(user, permissions, &placed.name);
    assert_eq!(by(other, &[]).await.unwrap_err().code(), Code::NotFound);
    assert_eq!(by(other, &["order.read"]).await.unwrap_err().code(), Code::NotFound, "to see it is not to call it off");
    let unknown = world.cancel("orders/01890000-0000-7000-8000-000000000000", "", None).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    assert_eq!(by(other, &["order.cancel"]).await.unwrap().state(), State::Cancelled);
}
