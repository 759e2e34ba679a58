//! WatchEvents: those who listen miss nothing of what happens to orders.

use kontor_proto::kontor::order::v1 as pb;
use kontor_testkit::with_token;
use kontor_types::ids::UserId;
use pb::order::State::{Completed, Processing, Rejected};
use pb::order_event::Subject;
use pb::watch_events_request::Start;
use tonic::{Code, Status, Streaming};

use crate::peers::Peers;
use crate::world::World;

async fn watch(
    world: &World,
    cursor: &str,
    start: Start,
    permissions: &[&str],
) -> Result<Streaming<pb::WatchEventsResponse>, Status> {
    let request = pb::WatchEventsRequest { cursor: cursor.into(), start: start.into() };
    let token = world.issuer.user(UserId::generate(), permissions);
    Ok(world.events.clone().watch_events(with_token(request, &token)).await?.into_inner())
}

/// From the start or from a cursor, with the permission.
async fn watch_from(world: &World, cursor: &str) -> Streaming<pb::WatchEventsResponse> {
    watch(world, cursor, Start::Unspecified, &["order.watch"]).await.unwrap()
}

/// So many events, or a few more, and the cursor after them.
async fn events(stream: &mut Streaming<pb::WatchEventsResponse>, count: usize) -> (Vec<pb::OrderEvent>, String) {
    let (mut events, mut cursor) = (Vec::new(), String::new());
    while events.len() < count {
        let message = stream.message().await.unwrap().unwrap();
        events.extend(message.events);
        cursor = message.cursor;
    }
    (events, cursor)
}

/// Whose it is, its version, and how its order stood.
fn told(event: &pb::OrderEvent) -> (String, i64, pb::order::State) {
    let Some(Subject::Order(order)) = &event.subject else { panic!("no order: {event:?}") };
    (order.name.clone(), event.version, order.state())
}

#[tokio::test]
async fn a_watcher_sees_each_order_accepted_and_ended_and_goes_on_after_a_broken_stream() {
    let world = World::with(Peers::selling(700, 5)).await;
    let mut stream = watch_from(&world, "").await;
    let first = world.place(&world.cart().await, "tok").await.unwrap().name;
    let (seen, cursor) = events(&mut stream, 2).await;
    let expected = [(first.clone(), 1, Processing), (first.clone(), 2, Completed)];
    assert_eq!(seen.iter().map(told).collect::<Vec<_>>(), expected);
    assert!(seen[0].create_time.is_some() && seen[0].id != seen[1].id, "{seen:?}");

    drop(stream);
    let second = world.place(&world.cart().await, "tok_decline").await.unwrap().name;
    let mut stream = watch_from(&world, &cursor).await;
    let (more, _) = events(&mut stream, 2).await;
    assert_eq!(more.iter().map(told).collect::<Vec<_>>(), [(second.clone(), 1, Processing), (second, 2, Rejected)]);

    // Who begins anew is told all of it again, with the same ids.
    let (again, _) = events(&mut watch_from(&world, "").await, 4).await;
    let ids = |events: &[pb::OrderEvent]| events.iter().map(|event| event.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&again), [ids(&seen), ids(&more)].concat());
}

#[tokio::test]
async fn who_asks_for_the_newest_is_not_told_what_was() {
    let world = World::with(Peers::selling(700, 5)).await;
    world.place(&world.cart().await, "tok").await.unwrap();
    world.until("SELECT count(*) FROM outbox_head WHERE last_position = 2").await;
    let mut stream = watch(&world, "", Start::Newest, &["order.watch"]).await.unwrap();
    let hello = stream.message().await.unwrap().unwrap();
    assert_eq!(hello.events, []);
    let placed = world.place(&world.cart().await, "tok").await.unwrap().name;
    let (seen, _) = events(&mut stream, 2).await;
    let expected = [(placed.clone(), 1, Processing), (placed, 2, Completed)];
    assert_eq!(seen.iter().map(told).collect::<Vec<_>>(), expected);
    // What the first message was told after is where to go on.
    assert_eq!(events(&mut watch_from(&world, &hello.cursor).await, 2).await.0, seen);
}

#[tokio::test]
async fn a_cursor_that_was_never_given_out_is_refused() {
    let world = World::with(Peers::selling(700, 5)).await;
    let cursor = watch_from(&world, "").await.message().await.unwrap().unwrap().cursor;
    watch_from(&world, &cursor).await;
    for bad in ["e1", "garbage", "e1fffffffffffffff0", "e10000000000000009", &cursor[1..]] {
        let refused = watch(&world, bad, Start::Oldest, &["order.watch"]).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{bad}");
        assert!(refused.message().starts_with("cursor: "), "{refused:?}");
    }
}

#[tokio::test]
async fn watching_needs_the_permission() {
    let world = World::with(Peers::selling(700, 5)).await;
    let refused = watch(&world, "", Start::Oldest, &["order.read", "catalog.watch"]).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let refused = world.events.clone().watch_events(pb::WatchEventsRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn the_service_tells_its_watchers_that_it_stops_and_they_go_on_with_the_next() {
    let mut world = World::with(Peers::selling(700, 5)).await;
    world.place(&world.cart().await, "tok").await.unwrap();
    let mut stream = watch_from(&world, "").await;
    let (_, cursor) = events(&mut stream, 2).await;
    world.restart().await;
    let ended = loop {
        match stream.message().await {
            Ok(message) => assert_eq!(message.unwrap().events, []),
            Err(status) => break status,
        }
    };
    // Its own words: a stream that is cut off with its connection ends otherwise.
    assert_eq!((ended.code(), ended.message()), (Code::Unavailable, "the service is stopping"));
    let placed = world.place(&world.cart().await, "tok").await.unwrap().name;
    let (seen, _) = events(&mut watch_from(&world, &cursor).await, 2).await;
    assert!(seen.iter().all(|event| told(event).0 == placed), "{seen:?}");
}

#[tokio::test]
async fn an_event_of_a_later_version_does_not_stop_the_others() {
    let world = World::with(Peers::selling(700, 5)).await;
    let mut stream = watch_from(&world, "").await;
    let later = "INSERT INTO outbox_events (id, aggregate, version, kind, payload) VALUES \
        (gen_random_uuid(), 'parcels/1', 1, 'kontor.order.v9.Parcel', '\\x0801')";
    sqlx::query(later).execute(&world.db).await.unwrap();
    assert_eq!(events(&mut stream, 1).await.0[0].subject, None);
    world.place(&world.cart().await, "tok").await.unwrap();
    assert_eq!(events(&mut stream, 2).await.0.iter().map(|event| told(event).1).collect::<Vec<_>>(), [1, 2]);
}
