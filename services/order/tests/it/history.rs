//! What is told of an order afterwards.

use kontor_proto::kontor::order::v1 as pb;
use pb::order::State;
use pb::order_history_entry::{Kind, Step};

use crate::peers::{Peers, Trouble};
use crate::world::{World, request};

/// Kind, step and outcome of each entry.
fn told(entries: &[pb::OrderHistoryEntry]) -> Vec<(Kind, Step, &str)> {
    entries.iter().map(|entry| (entry.kind(), entry.step(), entry.outcome.as_str())).collect()
}

#[tokio::test]
async fn a_purchase_is_told_step_by_step() {
    let world = World::with(Peers::selling(700, 5)).await;
    let order = world.place(&world.cart().await, "tok").await.unwrap();
    let entries = world.history(&order.name).await;
    assert_eq!(
        told(&entries),
        [
            (Kind::Accepted, Step::Unspecified, "PROCESSING"),
            (Kind::Attempted, Step::Reserve, "HELD"),
            (Kind::Attempted, Step::Authorize, "AUTHORIZED"),
            (Kind::Attempted, Step::Confirm, "CONFIRMED"),
            (Kind::Attempted, Step::Capture, "CAPTURED"),
            (Kind::Ended, Step::Unspecified, "COMPLETED"),
        ]
    );
    assert!(entries[1..].iter().all(|entry| entry.epoch == 1 && !entry.process.is_empty()), "{entries:?}");
}

#[tokio::test]
async fn attempts_that_came_to_nothing_are_told_and_why() {
    let world = World::with(Peers::selling(700, 5)).await;
    for _ in 0..2 {
        world.peers.trouble("ReserveStock", Trouble::Before);
    }
    world.peers.trouble("Authorize", Trouble::After);
    let order = world.place(&world.cart().await, "tok").await.unwrap();
    let entries = world.history(&order.name).await;
    let attempts: Vec<_> = entries.iter().filter(|entry| entry.kind() == Kind::Attempted).collect();
    let told: Vec<_> = attempts.iter().map(|e| (e.step(), e.attempt, e.outcome.as_str())).collect();
    assert_eq!(
        told[..5],
        [
            (Step::Reserve, 1, "UNKNOWN"),
            (Step::Reserve, 2, "UNKNOWN"),
            (Step::Reserve, 3, "HELD"),
            (Step::Authorize, 1, "UNKNOWN"),
            (Step::LookUp, 1, "AUTHORIZED"),
        ]
    );
    assert!(attempts[0].message.contains("as ordered: before"), "{:?}", attempts[0]);
}

#[tokio::test]
async fn a_rejection_and_a_take_over_are_told() {
    let world = World::with(Peers::selling(700, 5)).await;
    let declined = world.place(&world.cart().await, "tok_decline").await.unwrap();
    let entries = world.history(&declined.name).await;
    let kinds: Vec<_> = entries.iter().map(pb::OrderHistoryEntry::kind).collect();
    assert!(kinds.contains(&Kind::TurnedBack), "{entries:?}");
    assert_eq!(entries.last().unwrap().outcome, "REJECTED");

    world.peers.hold_authorizations();
    let (mut orders, asked) = (world.orders.clone(), request(&world.cart().await, "tok"));
    let placing = tokio::spawn(async move { orders.place_order(asked).await.unwrap().into_inner() });
    world.until("SELECT count(*) FROM sagas WHERE lease_until IS NOT NULL").await;
    sqlx::query("UPDATE sagas SET lease_until = now() WHERE lease_until IS NOT NULL").execute(&world.db).await.unwrap();
    world.until("SELECT count(*) FROM sagas WHERE epoch = 2").await;
    world.peers.open_gate();
    let order = world.ended(&placing.await.unwrap().name).await;
    assert_eq!(order.state(), State::Completed);
    let entries = world.history(&order.name).await;
    let taken_over = entries.iter().find(|entry| entry.kind() == Kind::TakenOver).unwrap();
    assert_eq!(taken_over.epoch, 2);
    assert!(entries.iter().filter(|entry| entry.epoch == 1).all(|entry| entry.kind() == Kind::Accepted), "{entries:?}");
}

#[tokio::test]
async fn pages_join_without_gap_and_overlap() {
    let world = World::with(Peers::selling(700, 5)).await;
    let order = world.place(&world.cart().await, "tok").await.unwrap();
    let whole = world.history(&order.name).await;
    for size in 1..=whole.len() {
        let (mut joined, mut page_token) = (Vec::new(), String::new());
        loop {
            let page = world.history_page(&order.name, size, page_token).await;
            assert!(page.entries.len() <= size);
            joined.extend(page.entries);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(joined.len(), whole.len(), "pages of {size}");
        assert_eq!(told(&joined), told(&whole), "pages of {size}");
    }
}
