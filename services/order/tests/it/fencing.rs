//! One order has one driver: who lost the lease writes nothing any more.

use kontor_proto::kontor::catalog::v1::reservation::State as Reserved;
use kontor_proto::kontor::order::v1::order::State;

use crate::peers::Peers;
use crate::world::{World, request};

#[tokio::test]
async fn who_lost_the_lease_does_not_write_the_end() {
    let world = World::answering_soon(Peers::selling(700, 1)).await;
    let cart = world.cart().await;
    world.peers.hold_authorizations();
    let (mut orders, request) = (world.orders.clone(), request(&cart, "tok"));
    let placing = tokio::spawn(async move { orders.place_order(request).await.unwrap().into_inner() });
    world.until("SELECT count(*) FROM sagas").await;
    // Another process, as far as the database knows, has taken the order over and holds it.
    sqlx::query("UPDATE sagas SET epoch = epoch + 1, lease_until = now() + interval '1 hour'")
        .execute(&world.db)
        .await
        .unwrap();
    world.peers.open_gate();
    let order = placing.await.unwrap();
    assert_eq!(order.state(), State::Processing, "the old driver ended an order that is not its own");
    assert_eq!(world.count("SELECT count(*) FROM sagas").await, 1);
    assert_eq!(world.count("SELECT count(*) FROM outbox_events").await, 1);

    // That one dies: the lease runs out, and the order is taken over and ended, once.
    sqlx::query("UPDATE sagas SET lease_until = now()").execute(&world.db).await.unwrap();
    assert_eq!(world.ended(&order.name).await.state(), State::Completed);
    assert_eq!(world.peers.books(), (0, vec![Reserved::Confirmed], 1));
    assert_eq!(world.count("SELECT count(*) FROM outbox_events").await, 2);
}

#[tokio::test]
async fn a_step_that_takes_longer_than_the_lease_keeps_it() {
    let world = World::with_lease(Peers::selling(700, 1), 9).await;
    let cart = world.cart().await;
    world.peers.hold_authorizations();
    let (mut orders, request) = (world.orders.clone(), request(&cart, "tok"));
    let placing = tokio::spawn(async move { orders.place_order(request).await.unwrap().into_inner() });
    world.until_called("ReserveStock").await;
    // The worker of this very process would take the order over as well as any other's. The first lease is over when the order is older.
    world.until("SELECT count(*) FROM orders WHERE create_time < now() - interval '12 seconds'").await;
    assert_eq!(world.count("SELECT epoch FROM sagas WHERE lease_until > now()").await, 1);
    world.peers.open_gate();
    let order = world.ended(&placing.await.unwrap().name).await;
    assert_eq!((order.state(), world.peers.calls("ReserveStock")), (State::Completed, 1));
}
