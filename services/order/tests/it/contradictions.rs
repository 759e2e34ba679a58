//! Peers that break the contract: nothing is built on what they say, and the order waits for somebody to look.

use kontor_proto::kontor::catalog::v1::reservation::State as Reserved;
use kontor_proto::kontor::order::v1::order::State;
use kontor_proto::kontor::payment::v1::payment::State as Paid;

use crate::peers::{Peers, Trouble};
use crate::world::{World, request};

#[tokio::test]
async fn an_answer_about_another_payment_completes_nothing_and_is_told() {
    for method in ["Authorize", "Capture"] {
        let world = World::answering_soon(Peers::selling(700, 1)).await;
        world.peers.trouble(method, Trouble::Astray);
        let order = world.place(&world.cart().await, "tok").await.unwrap();
        assert_eq!(order.state(), State::Processing, "{method}");
        let alerts = "SELECT count(*) FROM order_history WHERE kind = 'ALERTED' AND message LIKE '%\"another\"%'";
        world.until(alerts).await;
        assert_eq!(world.count(alerts).await, 1, "{method}");
        // Once the provider is right again, so is the order.
        sqlx::query("UPDATE sagas SET lease_until = now()").execute(&world.db).await.unwrap();
        assert_eq!(world.ended(&order.name).await.state(), State::Completed);
        assert_eq!(world.peers.books(), (0, vec![Reserved::Confirmed], 1), "{method}");
    }
}

#[tokio::test]
async fn a_capture_that_is_refused_after_the_pivot_completes_nothing() {
    let world = World::answering_soon(Peers::selling(700, 1)).await;
    world.peers.trouble("Capture", Trouble::Refused);
    let order = world.place(&world.cart().await, "tok").await.unwrap();
    assert_eq!(order.state(), State::Processing);
    let alerts = "SELECT count(*) FROM order_history WHERE kind = 'ALERTED'";
    world.until(alerts).await;
    assert_eq!(world.count(alerts).await, 1);
    sqlx::query("UPDATE sagas SET lease_until = now()").execute(&world.db).await.unwrap();
    assert_eq!(world.ended(&order.name).await.state(), State::Completed);
}

#[tokio::test]
async fn a_hold_that_has_expired_is_taken_up_again() {
    let world = World::with(Peers::selling(700, 1)).await;
    world.peers.trouble("ConfirmReservation", Trouble::Expired);
    let order = world.place(&world.cart().await, "tok").await.unwrap();
    assert_eq!(order.state(), State::Completed);
    assert_eq!((world.peers.calls("ReserveStock"), world.peers.calls("ConfirmReservation")), (2, 2));
    assert_eq!(world.peers.books(), (0, vec![Reserved::Confirmed], 1));
}

#[tokio::test]
async fn an_order_that_is_not_settled_in_time_comes_to_nothing() {
    let world = World::with(Peers::selling(700, 1)).await;
    let cart = world.cart().await;
    let placed = world.place_for_review(request(&cart, "tok_review")).await;
    assert_eq!(placed.state(), State::Processing);
    sqlx::query("UPDATE sagas SET deadline = now(), lease_until = now()").execute(&world.db).await.unwrap();
    let order = world.ended(&placed.name).await;
    assert_eq!(order.state(), State::Rejected);
    assert_eq!(order.rejection.unwrap().reason(), kontor_proto::kontor::order::v1::rejection::Reason::NotSettled);
    assert_eq!((world.peers.books(), world.peers.payments()), ((1, vec![Reserved::Released], 0), vec![Paid::Voided]));
    assert_eq!(world.place(&cart, "tok").await.unwrap().state(), State::Completed, "the cart is open again");
}

#[tokio::test]
async fn a_review_that_ends_well_completes_the_order() {
    let world = World::with(Peers::selling(700, 1)).await;
    let placed = world.place_for_review(request(&world.cart().await, "tok_review")).await;
    world.peers.approve();
    sqlx::query("UPDATE sagas SET lease_until = now()").execute(&world.db).await.unwrap();
    assert_eq!(world.ended(&placed.name).await.state(), State::Completed);
    assert_eq!(world.peers.books(), (0, vec![Reserved::Confirmed], 1));
}
