//! WatchEvents: those who listen miss nothing of what happens to products and reservations.

use kontor_proto::kontor::catalog::v1 as pb;
use kontor_testkit::with_token;
use kontor_types::ids::{OrderId, UserId};
use pb::catalog_event::Subject;
use pb::reservation::State::{Confirmed, Held};
use pb::watch_events_request::Start;
use tonic::{Code, Status, Streaming};

use crate::shop::{Shop, assert_field, assert_status};

async fn watch(
    shop: &Shop,
    cursor: &str,
    start: Start,
    permissions: &[&str],
) -> Result<Streaming<pb::WatchEventsResponse>, Status> {
    let request = pb::WatchEventsRequest { cursor: cursor.into(), start: start.into() };
    let token = shop.issuer.user(UserId::generate(), permissions);
    Ok(shop.events.clone().watch_events(with_token(request, &token)).await?.into_inner())
}

/// From the start or from a cursor, with the permission.
async fn watch_from(shop: &Shop, cursor: &str) -> Streaming<pb::WatchEventsResponse> {
    watch(shop, cursor, Start::Unspecified, &["catalog.watch"]).await.unwrap()
}

/// So many events, or a few more, and the cursor after them.
async fn events(stream: &mut Streaming<pb::WatchEventsResponse>, count: usize) -> (Vec<pb::CatalogEvent>, String) {
    let (mut events, mut cursor) = (Vec::new(), String::new());
    while events.len() < count {
        let message = stream.message().await.unwrap().unwrap();
        events.extend(message.events);
        cursor = message.cursor;
    }
    (events, cursor)
}

fn reservation(event: &pb::CatalogEvent) -> (String, i64, pb::reservation::State) {
    let Some(Subject::Reservation(reservation)) = &event.subject else { panic!("no reservation: {event:?}") };
    (reservation.order.clone(), event.version, reservation.state())
}

#[tokio::test]
async fn a_watcher_sees_products_and_reservations_and_goes_on_after_a_broken_stream() {
    let shop = Shop::open().await;
    let mut stream = watch_from(&shop, "").await;
    let cup = shop.stocked("cup", &[("CUP", 5)]).await.remove(0);
    let (seen, cursor) = events(&mut stream, 1).await;
    let Some(Subject::Product(product)) = &seen[0].subject else { panic!("no product: {seen:?}") };
    assert_eq!((product.handle.as_str(), seen[0].version), ("cup", 1));

    drop(stream);
    let order = OrderId::generate();
    shop.reserve(order, &[(&cup, 2)]).await.unwrap();
    shop.confirm(order).await.unwrap();
    let (more, _) = events(&mut watch_from(&shop, &cursor).await, 2).await;
    let order = order.to_string();
    assert_eq!(more.iter().map(reservation).collect::<Vec<_>>(), [(order.clone(), 1, Held), (order, 2, Confirmed)]);
    assert_eq!(events(&mut watch_from(&shop, "").await, 3).await.0, [seen, more].concat());
}

#[tokio::test]
async fn who_asks_for_the_newest_is_not_told_what_was() {
    let shop = Shop::open().await;
    shop.stocked("cup", &[("CUP", 5)]).await;
    while shop.count("SELECT last_position FROM outbox_head").await < 1 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let mut stream = watch(&shop, "", Start::Newest, &["catalog.watch"]).await.unwrap();
    assert_eq!(stream.message().await.unwrap().unwrap().events, []);
    shop.stocked("pot", &[("POT", 5)]).await;
    let (seen, _) = events(&mut stream, 1).await;
    let Some(Subject::Product(product)) = &seen[0].subject else { panic!("no product: {seen:?}") };
    assert_eq!(product.handle, "pot");
}

#[tokio::test]
async fn products_that_fill_several_messages_all_come() {
    let shop = Shop::open().await;
    let text = "x".repeat(60_000);
    let mut csv = String::from("Handle,Title,Body (HTML),Variant Price\n");
    (0..90).for_each(|number| csv.push_str(&format!("p{number},P,{text},1.00\n")));
    assert_eq!(shop.import(&csv).await.products_created, 90);
    // A client refuses messages over 4 MiB, and these are more together.
    let (seen, _) = events(&mut watch_from(&shop, "").await, 90).await;
    assert_eq!(seen.len(), 90);
}

#[tokio::test]
async fn a_cursor_that_was_never_given_out_is_refused() {
    let shop = Shop::open().await;
    let cursor = watch_from(&shop, "").await.message().await.unwrap().unwrap().cursor;
    watch_from(&shop, &cursor).await;
    for bad in ["e1", "garbage", "e1fffffffffffffff0", "e10000000000000009", &cursor[1..]] {
        assert_field(&watch(&shop, bad, Start::Oldest, &["catalog.watch"]).await.unwrap_err(), "cursor");
    }
}

#[tokio::test]
async fn watching_needs_the_permission() {
    let shop = Shop::open().await;
    let refused = watch(&shop, "", Start::Oldest, &["catalog.edit", "order.watch"]).await.unwrap_err();
    assert_status(&refused, Code::PermissionDenied, "PERMISSION_MISSING");
    let refused = shop.events.clone().watch_events(pb::WatchEventsRequest::default()).await.unwrap_err();
    assert_status(&refused, Code::Unauthenticated, "TOKEN_MISSING");
}

#[tokio::test]
async fn the_service_tells_its_watchers_that_it_stops() {
    let shop = Shop::open().await;
    let mut stream = watch_from(&shop, "").await;
    stream.message().await.unwrap();
    drop(shop.stop);
    let ended = loop {
        match stream.message().await {
            Ok(message) => assert_eq!(message.unwrap().events, []),
            Err(status) => break status,
        }
    };
    // Its own words: a stream that is cut off with its connection ends otherwise.
    assert_status(&ended, Code::Unavailable, "DEPENDENCY_UNAVAILABLE");
    assert_eq!(ended.message(), "the service is stopping");
}
