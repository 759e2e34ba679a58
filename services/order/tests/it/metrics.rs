//! What is counted of orders. Tests of one process count together, so each looks at what its own orders add.

use kontor_proto::kontor::order::v1::order::State;
use kontor_testkit::metrics::{value, value_becomes};

use crate::peers::{Peers, Trouble};
use crate::world::World;

const STEPS: &str = "kontor_order_saga_steps_total";
const ENDED: &str = "kontor_order_orders_ended_total";

fn step(name: &'static str, outcome: &'static str) -> [(&'static str, &'static str); 2] {
    [("kontor_saga_step", name), ("kontor_saga_outcome", outcome)]
}

#[tokio::test]
async fn steps_and_ends_of_orders_count() {
    let world = World::with(Peers::selling(700, 2)).await;
    let forward =
        [("reserve", "reserved"), ("authorize", "authorized"), ("confirm", "confirmed"), ("capture", "captured")];
    let back = [("authorize", "declined"), ("release", "released")];
    let series = || forward.iter().chain(&back).map(|(name, outcome)| value(STEPS, &step(name, outcome)));
    let (before, completed, rejected) = (
        series().collect::<Vec<_>>(),
        value(ENDED, &[("kontor_order_state", "COMPLETED")]),
        value(ENDED, &[("kontor_order_state", "REJECTED")]),
    );
    let order = world.place(&world.cart().await, "tok").await.unwrap();
    assert_eq!(world.ended(&order.name).await.state(), State::Completed);
    let order = world.place(&world.cart().await, "tok_decline").await.unwrap();
    assert_eq!(world.ended(&order.name).await.state(), State::Rejected);
    // The order can be read as ended a moment before it is counted.
    value_becomes(ENDED, &[("kontor_order_state", "COMPLETED")], |now| now > completed).await;
    value_becomes(ENDED, &[("kontor_order_state", "REJECTED")], |now| now > rejected).await;
    assert!(series().zip(before).all(|(now, before)| now > before), "{}", kontor_runtime::metrics::render());
    let place = [("rpc_method", "kontor.order.v1.OrderService/PlaceOrder"), ("rpc_response_status_code", "OK")];
    assert!(value("rpc_server_call_duration_seconds_count", &place) >= 2.0);
}

#[tokio::test]
async fn an_unknown_outcome_and_the_look_up_after_it_count() {
    let world = World::with(Peers::selling(700, 1)).await;
    let before = value(STEPS, &[("kontor_saga_step", "look_up")]);
    let unknown = value(STEPS, &step("authorize", "unknown"));
    let cart = world.cart().await;
    world.peers.trouble("Authorize", Trouble::After);
    let order = world.place(&cart, "tok").await.unwrap();
    assert_eq!(world.ended(&order.name).await.state(), State::Completed);
    assert!(value(STEPS, &[("kontor_saga_step", "look_up")]) > before);
    assert!(value(STEPS, &step("authorize", "unknown")) > unknown);
}

#[tokio::test]
async fn a_lease_that_another_process_reclaims_counts() {
    let world = World::answering_soon(Peers::selling(700, 1)).await;
    let before = value("kontor_order_leases_reclaimed_total", &[]);
    world.peers.hold_authorizations();
    let order = world.place(&world.cart().await, "tok").await.unwrap();
    // Its process is silent, as far as the database knows.
    sqlx::query("UPDATE sagas SET lease_until = now(), process = 'dead'").execute(&world.db).await.unwrap();
    value_becomes("kontor_order_leases_reclaimed_total", &[], |now| now > before).await;
    world.peers.open_gate();
    assert_eq!(world.ended(&order.name).await.state(), State::Completed);
}
