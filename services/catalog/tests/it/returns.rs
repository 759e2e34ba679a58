//! Units that buyers send back.

use std::sync::Arc;

use kontor_proto::kontor::catalog::v1 as pb;
use kontor_types::ids::{OrderId, ProductId, VariantName, new_uuid};
use pb::reservation::State;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::races::at_once;
use crate::shop::{Shop, assert_field, assert_status, reservation_lines};

fn refund_of(order: OrderId) -> String {
    format!("{order}/refunds/{}", new_uuid())
}

/// A shop with ten cups and ten jugs, of which an order took four and two.
async fn sold() -> (Shop, OrderId, String, String) {
    let shop = Shop::open().await;
    let [cup, jug] = <[String; 2]>::try_from(shop.stocked("set", &[("CUP", 10), ("JUG", 10)]).await).unwrap();
    let order = OrderId::generate();
    shop.reserve(order, &[(&cup, 4), (&jug, 2)]).await.unwrap();
    shop.confirm(order).await.unwrap();
    (shop, order, cup, jug)
}

fn assert_too_large(status: &Status, variant: &str, returnable: &str) {
    assert_status(status, Code::FailedPrecondition, "RESTOCK_TOO_LARGE");
    let metadata = status.get_details_error_info().unwrap().metadata;
    assert_eq!((metadata["variant"].as_str(), metadata["returnable"].as_str()), (variant, returnable));
    assert_eq!(status.get_details_precondition_failure().unwrap().violations[0].subject, variant);
}

#[tokio::test]
async fn what_comes_back_is_in_stock_again_and_in_the_ledger() {
    let (shop, order, cup, jug) = sold().await;
    let refund = refund_of(order);
    let back = shop.send_back(&refund, &[(&jug, 1)]).await.unwrap();
    assert_eq!((back.state(), &back.returned_lines), (State::Confirmed, &reservation_lines(&[(&jug, 1)])));
    assert_eq!(back.lines, reservation_lines(&[(&cup, 4), (&jug, 2)]));
    assert_eq!((shop.stock(&cup).await, shop.stock(&jug).await), ((6, 0), (9, 0)));
    let sql = "SELECT reference FROM stock_movements WHERE reason = 'RETURNED' AND delta = 1";
    let references: Vec<String> = sqlx::query_scalar(sql).fetch_all(&shop.db).await.unwrap();
    assert_eq!(references, [refund]);
    assert_eq!(shop.reservation(order).await.unwrap(), back);
    let told = shop.told(order).await;
    assert_eq!((told.len(), &told[2]), (3, &back));
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn a_refund_puts_its_units_back_once() {
    let (shop, order, cup, _) = sold().await;
    let refund = refund_of(order);
    let back = shop.send_back(&refund, &[(&cup, 3)]).await.unwrap();
    assert_eq!(shop.send_back(&refund, &[(&cup, 3)]).await.unwrap(), back);
    let other = shop.send_back(&refund, &[(&cup, 1)]).await.unwrap_err();
    assert_status(&other, Code::InvalidArgument, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(shop.stock(&cup).await, (9, 0));
    // A second refund adds to the first; and then the first still stands.
    let all = shop.send_back(&refund_of(order), &[(&cup, 1)]).await.unwrap();
    assert_eq!(all.returned_lines, reservation_lines(&[(&cup, 4)]));
    assert_eq!(shop.send_back(&refund, &[(&cup, 3)]).await.unwrap(), all);
    assert_eq!(shop.stock(&cup).await, (10, 0));
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn an_id_that_another_orders_refund_has_is_refused() {
    let (shop, order, cup, _) = sold().await;
    let other = OrderId::generate();
    shop.reserve(other, &[(&cup, 1)]).await.unwrap();
    shop.confirm(other).await.unwrap();
    let refund = refund_of(order);
    shop.send_back(&refund, &[(&cup, 1)]).await.unwrap();
    let same_id = format!("{other}/refunds/{}", refund.rsplit('/').next().unwrap());
    let refused = shop.send_back(&same_id, &[(&cup, 1)]).await.unwrap_err();
    assert_status(&refused, Code::InvalidArgument, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(shop.stock(&cup).await, (6, 0));
}

#[tokio::test]
async fn no_more_comes_back_than_was_taken() {
    let (shop, order, cup, jug) = sold().await;
    shop.send_back(&refund_of(order), &[(&cup, 3)]).await.unwrap();
    let too_many = shop.send_back(&refund_of(order), &[(&jug, 2), (&cup, 2)]).await.unwrap_err();
    assert_too_large(&too_many, &cup, "1");
    let stranger = VariantName { product: ProductId::generate(), id: new_uuid() }.to_string();
    assert_too_large(&shop.send_back(&refund_of(order), &[(&stranger, 1)]).await.unwrap_err(), &stranger, "0");
    assert_eq!((shop.stock(&cup).await, shop.stock(&jug).await), ((9, 0), (8, 0)));
    // What was refused leaves the refund free to ask for less.
    let refund = refund_of(order);
    assert_too_large(&shop.send_back(&refund, &[(&jug, 3)]).await.unwrap_err(), &jug, "2");
    shop.send_back(&refund, &[(&jug, 2)]).await.unwrap();
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn nothing_comes_back_of_what_was_not_taken() {
    let shop = Shop::open().await;
    let cup = shop.stocked("cup", &[("CUP", 5)]).await.remove(0);
    let (held, released, expired) = (OrderId::generate(), OrderId::generate(), OrderId::generate());
    for order in [held, released, expired] {
        shop.reserve(order, &[(&cup, 1)]).await.unwrap();
    }
    shop.release(released).await.unwrap();
    shop.age(expired, 0).await;
    for order in [held, released, expired] {
        let refused = shop.send_back(&refund_of(order), &[(&cup, 1)]).await.unwrap_err();
        assert_status(&refused, Code::FailedPrecondition, "RESERVATION_ENDED");
    }
    let unknown = shop.send_back(&refund_of(OrderId::generate()), &[(&cup, 1)]).await.unwrap_err();
    assert_status(&unknown, Code::NotFound, "RESOURCE_NOT_FOUND");
    assert_eq!(shop.stock(&cup).await, (5, 1));
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn a_refunds_name_and_lines_are_checked() {
    let (shop, order, cup, _) = sold().await;
    let upper = format!("{order}/refunds/{}-", new_uuid().simple());
    for name in ["orders/1/refunds/1", &upper, &order.to_string()] {
        assert_field(&shop.send_back(name, &[(&cup, 1)]).await.unwrap_err(), "refund");
    }
    assert_field(&shop.send_back(&refund_of(order), &[(&cup, 1), (&cup, 1)]).await.unwrap_err(), "lines[1].variant");
    assert_field(&shop.send_back(&refund_of(order), &[]).await.unwrap_err(), "lines");
    assert_eq!(shop.stock(&cup).await, (6, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_at_once_put_back_what_was_taken_and_no_more() {
    let (shop, order, cup, _) = sold().await;
    let shop = Arc::new(shop);
    let refunds: Vec<String> = (0..4).map(|_| refund_of(order)).collect();
    // Each refund three times at once; of four refunds with two units each, two can be.
    let calls = refunds.iter().cycle().take(12).map(|refund| {
        let (shop, cup, refund) = (shop.clone(), cup.clone(), refund.clone());
        async move { shop.send_back(&refund, &[(&cup, 2)]).await }
    });
    let done = at_once(calls).await.into_iter().filter(Result::is_ok).count();
    assert_eq!(done, 6);
    assert_eq!(shop.stock(&cup).await, (10, 0));
    assert_eq!(shop.count("SELECT count(*) FROM stock_movements WHERE reason = 'RETURNED'").await, 2);
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn units_of_a_sale_that_an_older_version_wrote_down_come_back_too() {
    let (shop, order, cup, _) = sold().await;
    // It knew of no version, and gave the second event its number by itself.
    sqlx::query("UPDATE reservations SET version = 1").execute(&shop.db).await.unwrap();
    shop.send_back(&refund_of(order), &[(&cup, 1)]).await.unwrap();
    shop.send_back(&refund_of(order), &[(&cup, 1)]).await.unwrap();
    assert_eq!((shop.stock(&cup).await, shop.told(order).await.len()), ((8, 0), 4));
}
