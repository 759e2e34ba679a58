//! Orders whose peers fail: whatever is lost on the way, units and money are both taken once, or neither.

use std::time::Duration;

use kontor_proto::kontor::catalog::v1::reservation::State as Reserved;
use kontor_proto::kontor::order::v1::order::State;

use crate::peers::{Peers, Trouble};
use crate::world::{World, request};

#[tokio::test]
async fn a_lost_call_or_answer_at_any_step_changes_nothing_but_the_time() {
    let world = World::with(Peers::selling(700, 100)).await;
    let steps = ["ReserveStock", "Authorize", "ConfirmReservation", "Capture"];
    let mut done = 0;
    for step in steps {
        for trouble in [Trouble::Before, Trouble::After] {
            let cart = world.cart().await;
            world.peers.trouble(step, trouble);
            let order = world.place(&cart, "tok").await.unwrap();
            assert_eq!(world.ended(&order.name).await.state(), State::Completed, "{step} {trouble:?}");
            done += 1;
            let (left, reservations, captured) = world.peers.books();
            assert_eq!((100 - left, captured), (done, done as usize), "{step} {trouble:?}");
            assert!(reservations.iter().all(|state| *state == Reserved::Confirmed));
        }
    }
}

#[tokio::test]
async fn a_lost_answer_on_the_way_back_leaves_nothing_held() {
    let world = World::with(Peers::selling(700, 1)).await;
    for trouble in [Trouble::Before, Trouble::After] {
        let cart = world.cart().await;
        world.peers.trouble("ReleaseReservation", trouble);
        let order = world.place(&cart, "tok_decline").await.unwrap();
        assert_eq!(world.ended(&order.name).await.state(), State::Rejected);
        assert_eq!(world.peers.books().0, 1, "{trouble:?}");
    }
}

#[tokio::test]
async fn a_caller_who_leaves_does_not_end_the_order() {
    let world = World::with(Peers::selling(700, 1)).await;
    let cart = world.cart().await;
    world.peers.hold_authorizations();
    let mut hasty = tonic::Request::new(request(&cart, "tok"));
    hasty.set_timeout(Duration::from_millis(300));
    assert!(world.orders.clone().place_order(hasty).await.is_err());
    world.peers.open_gate();
    world.until("SELECT count(*) FROM orders WHERE state = 'COMPLETED'").await;
    assert_eq!(world.peers.books(), (0, vec![Reserved::Confirmed], 1));
}

#[tokio::test]
async fn callers_who_leave_at_any_moment_leave_no_order_behind_that_nobody_drives() {
    let world = World::with(Peers::selling(700, 100)).await;
    for round in 0..60 {
        let mut hasty = tonic::Request::new(request(&world.cart().await, "tok"));
        hasty.set_timeout(Duration::from_millis(1 + round / 2));
        let _ = world.orders.clone().place_order(hasty).await;
    }
    // Far sooner than the lease would run out.
    world.until("SELECT 1 - count(*) FROM (SELECT 1 FROM sagas WHERE lease_until IS NOT NULL LIMIT 1) AS driven").await;
    assert_eq!(world.count("SELECT count(*) FROM orders WHERE state <> 'COMPLETED'").await, 0);
    assert!(world.count("SELECT count(*) FROM orders").await > 0, "nobody was slow enough");
    assert_eq!(world.count("SELECT count(*) FROM order_history WHERE kind = 'TAKEN_OVER'").await, 0);
}

#[tokio::test]
async fn a_service_that_stops_lets_go_of_its_orders_and_the_next_one_ends_them() {
    let mut world = World::with(Peers::selling(700, 1)).await;
    let cart = world.cart().await;
    world.peers.hold_authorizations();
    let (mut orders, request) = (world.orders.clone(), request(&cart, "tok"));
    let placing = tokio::spawn(async move { orders.place_order(request).await });
    world.until("SELECT count(*) FROM sagas").await;
    let opening = world.peers.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        opening.open_gate();
    });
    world.restart().await;
    let _ = placing.await;
    // Far sooner than the lease would run out.
    world.until("SELECT count(*) FROM orders WHERE state = 'COMPLETED'").await;
    assert_eq!(world.peers.books(), (0, vec![Reserved::Confirmed], 1));
    assert_eq!(world.count("SELECT count(*) FROM outbox_events").await, 2);
}
