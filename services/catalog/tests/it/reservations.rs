//! An order's claim on stock: hold, take, let go, each any number of times, in any order.

use kontor_proto::kontor::catalog::v1 as pb;
use kontor_testkit::metrics::value;
use kontor_types::ids::{OrderId, ProductId, VariantName, new_uuid};
use pb::reservation::State;
use tonic::Code;

use crate::shop::{Shop, assert_field, assert_status};

async fn with_cups(number: i64) -> (Shop, String) {
    let shop = Shop::open().await;
    let cup = shop.stocked("cup", &[("CUP", number)]).await.remove(0);
    (shop, cup)
}

#[tokio::test]
async fn held_units_are_taken_once() {
    let (shop, cup) = with_cups(5).await;
    let order = OrderId::generate();
    let held = shop.reserve(order, &[(&cup, 3)]).await.unwrap();
    assert_eq!((held.state(), held.order.as_str()), (State::Held, order.to_string().as_str()));
    assert_eq!((held.lines[0].variant.as_str(), held.lines[0].quantity), (cup.as_str(), 3));
    assert!(held.expire_time.is_some());
    assert_eq!(shop.stock(&cup).await, (5, 3));
    assert_eq!(shop.reserve(order, &[(&cup, 3)]).await.unwrap(), held);
    assert_eq!(shop.reservation(order).await.unwrap(), held);

    let taken = shop.confirm(order).await.unwrap();
    assert_eq!((taken.state(), taken.expire_time), (State::Confirmed, None));
    assert_eq!(shop.confirm(order).await.unwrap(), taken);
    assert_eq!(shop.reserve(order, &[(&cup, 3)]).await.unwrap(), taken);
    assert_eq!(shop.stock(&cup).await, (2, 0));
    let refused = shop.release(order).await.unwrap_err();
    assert_status(&refused, Code::FailedPrecondition, "RESERVATION_ENDED");
    assert_eq!(shop.stock(&cup).await, (2, 0));
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn units_that_were_let_go_are_not_taken_later() {
    let (shop, cup) = with_cups(5).await;
    let order = OrderId::generate();
    shop.reserve(order, &[(&cup, 3)]).await.unwrap();
    let gone = shop.release(order).await.unwrap();
    assert_eq!(gone.state(), State::Released);
    assert_eq!(shop.release(order).await.unwrap(), gone);
    assert_eq!(shop.reserve(order, &[(&cup, 3)]).await.unwrap(), gone);
    let refused = shop.confirm(order).await.unwrap_err();
    assert_status(&refused, Code::FailedPrecondition, "RESERVATION_ENDED");
    assert_eq!(shop.stock(&cup).await, (5, 0));
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn the_same_order_with_other_lines_is_refused_and_changes_nothing() {
    let (shop, cup) = with_cups(5).await;
    let order = OrderId::generate();
    shop.reserve(order, &[(&cup, 3)]).await.unwrap();
    let refused = shop.reserve(order, &[(&cup, 1)]).await.unwrap_err();
    assert_status(&refused, Code::InvalidArgument, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(shop.stock(&cup).await, (5, 3));
}

#[tokio::test]
async fn a_release_that_comes_first_stays_the_last_word() {
    let (shop, cup) = with_cups(5).await;
    let order = OrderId::generate();
    assert_eq!(shop.release(order).await.unwrap().state(), State::Released);
    assert_eq!(shop.reserve(order, &[(&cup, 3)]).await.unwrap().state(), State::Released);
    assert_eq!(shop.release(order).await.unwrap().state(), State::Released);
    assert_eq!(shop.reservation(order).await.unwrap().state(), State::Released);
    assert_status(&shop.confirm(order).await.unwrap_err(), Code::FailedPrecondition, "RESERVATION_ENDED");
    assert_eq!(shop.stock(&cup).await, (5, 0));
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn what_was_never_held_can_not_be_taken_or_read() {
    let (shop, _) = with_cups(5).await;
    let order = OrderId::generate();
    assert_status(&shop.confirm(order).await.unwrap_err(), Code::NotFound, "RESOURCE_NOT_FOUND");
    assert_status(&shop.reservation(order).await.unwrap_err(), Code::NotFound, "RESOURCE_NOT_FOUND");
}

#[tokio::test]
async fn too_few_units_are_a_lasting_answer_with_every_shortage() {
    let shop = Shop::open().await;
    let variants = shop.stocked("set", &[("PLENTY", 9), ("FEW", 2), ("NONE", 0)]).await;
    let order = OrderId::generate();
    let gone = VariantName { product: ProductId::generate(), id: new_uuid() }.to_string();
    let lines = [(variants[0].as_str(), 3), (&variants[1], 3), (&variants[2], 1), (&gone, 1)];
    let conflicts = value("kontor_catalog_stock_conflicts_total", &[]);
    let refused = shop.reserve(order, &lines).await.unwrap();
    assert_eq!(refused.state(), State::Refused);
    assert!(value("kontor_catalog_stock_conflicts_total", &[]) > conflicts);
    let short: Vec<_> =
        refused.shortages.iter().map(|s| (s.sku.as_str(), s.requested_quantity, s.available_quantity)).collect();
    assert_eq!(short, [("FEW", 3, 2), ("NONE", 1, 0), ("", 1, 0)]);
    assert_eq!(shop.stock(&variants[0]).await, (9, 0));

    let more = |variant: &String| pb::AdjustStockRequest {
        variant: variant.clone(),
        delta: 9,
        reason: 1,
        request_id: String::new(),
    };
    shop.adjust(more(&variants[1])).await.unwrap();
    assert_eq!(shop.reserve(order, &lines).await.unwrap(), refused);
    assert_status(&shop.confirm(order).await.unwrap_err(), Code::FailedPrecondition, "RESERVATION_ENDED");
    assert_eq!(shop.release(order).await.unwrap(), refused);
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn a_variant_stands_on_one_line_only_and_by_its_own_name() {
    let (shop, cup) = with_cups(5).await;
    let order = OrderId::generate();
    assert_field(&shop.reserve(order, &[(&cup, 1), (&cup, 1)]).await.unwrap_err(), "lines[1].variant");
    let id = cup.rsplit('/').next().unwrap();
    let by_handle = format!("products/cup/variants/{id}");
    assert_field(&shop.reserve(order, &[(&by_handle, 1)]).await.unwrap_err(), "lines[0].variant");
    assert_field(&shop.reserve(order, &[(&cup, 0)]).await.unwrap_err(), "lines[0].quantity");
    assert_field(&shop.reserve(order, &[]).await.unwrap_err(), "lines");
    let other_product = format!("{}/variants/{id}", ProductId::generate());
    assert_eq!(shop.reserve(order, &[(&other_product, 1)]).await.unwrap().state(), State::Refused);
    assert_eq!(shop.stock(&cup).await, (5, 0));
}

#[tokio::test]
async fn each_step_leaves_one_event() {
    let (shop, cup) = with_cups(5).await;
    let order = OrderId::generate();
    shop.reserve(order, &[(&cup, 3)]).await.unwrap();
    shop.reserve(order, &[(&cup, 3)]).await.unwrap();
    shop.confirm(order).await.unwrap();
    shop.confirm(order).await.unwrap();
    let payloads: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT payload FROM outbox_events WHERE aggregate LIKE 'reservations/%' ORDER BY version")
            .fetch_all(&shop.db)
            .await
            .unwrap();
    let state = |bytes: &Vec<u8>| <pb::Reservation as prost::Message>::decode(&bytes[..]).unwrap().state();
    assert_eq!(payloads.iter().map(state).collect::<Vec<_>>(), [State::Held, State::Confirmed]);
}
