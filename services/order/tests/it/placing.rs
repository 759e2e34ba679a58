//! What PlaceOrder answers, and what there is after it.

use kontor_proto::kontor::catalog::v1::reservation::State as Reserved;
use kontor_proto::kontor::order::v1 as pb;
use pb::order::State;
use tonic::Code;

use crate::peers::{Peers, Trouble};
use crate::world::{World, dollars, request};

#[tokio::test]
async fn a_completed_order_has_taken_units_and_money_once() {
    let world = World::with(Peers::selling(700, 5)).await;
    let order = world.place(&world.cart().await, "tok").await.unwrap();
    assert_eq!(order.state(), State::Completed);
    assert_eq!(order.payment.unwrap().captured_amount, dollars(7));
    assert_eq!(world.peers.books(), (4, vec![Reserved::Confirmed], 1));
    assert_eq!(world.count("SELECT count(*) FROM sagas WHERE lease_until IS NOT NULL OR payment_token <> ''").await, 0);
    assert_eq!(world.count("SELECT sum(version)::bigint FROM outbox_events").await, 1 + 2);
}

#[tokio::test]
async fn an_order_that_costs_nothing_asks_no_provider() {
    let world = World::with(Peers::selling(0, 5)).await;
    let order = world.place(&world.cart().await, "tok").await.unwrap();
    assert_eq!((order.state(), world.peers.calls("Authorize")), (State::Completed, 0));
}

#[tokio::test]
async fn without_the_catalog_there_is_no_order() {
    let world = World::with(Peers::selling(700, 5)).await;
    let cart = world.cart().await;
    world.peers.trouble("BatchGetVariants", Trouble::Before);
    let refused = world.place(&cart, "tok").await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert_eq!(world.count("SELECT count(*) FROM orders").await, 0);
    assert_eq!(world.place(&cart, "tok").await.unwrap().state(), State::Completed);
}

#[tokio::test]
async fn a_rejected_order_opens_its_cart_again() {
    let world = World::with(Peers::selling(700, 5)).await;
    let cart = world.cart().await;
    let declined = world.place(&cart, "tok_decline").await.unwrap();
    assert_eq!(declined.state(), State::Rejected);
    assert_eq!(declined.rejection.unwrap().decline_code, "card_declined");
    assert_eq!(world.peers.books(), (5, vec![Reserved::Released], 0));
    assert_eq!(world.place(&cart, "tok").await.unwrap().state(), State::Completed);
}

#[tokio::test]
async fn one_call_sent_many_times_at_once_is_one_order() {
    let world = World::with(Peers::selling(700, 1)).await;
    let cart = world.cart().await;
    let request = request(&cart, "tok");
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let (mut orders, request) = (world.orders.clone(), request.clone());
        calls.spawn(async move { orders.place_order(request).await.unwrap().into_inner() });
    }
    let orders = calls.join_all().await;
    assert!(orders.iter().all(|order| order.name == orders[0].name), "{orders:?}");
    assert!(orders.iter().all(|order| order.state() == State::Completed), "{orders:?}");
    assert_eq!(world.peers.books(), (0, vec![Reserved::Confirmed], 1));
}
