//! Changing stock by hand.

use kontor_proto::kontor::catalog::v1 as pb;
use kontor_types::ids::{OrderId, new_uuid};
use pb::adjust_stock_request::Reason;
use tonic::Code;
use tonic_types::StatusExt;

use crate::shop::{Shop, assert_field, assert_status};

fn change(variant: &str, delta: i64) -> pb::AdjustStockRequest {
    let reason = if delta > 0 { Reason::Received } else { Reason::Damaged };
    pb::AdjustStockRequest { variant: variant.into(), delta, reason: reason.into(), request_id: String::new() }
}

#[tokio::test]
async fn units_come_and_go_and_the_ledger_says_why() {
    let shop = Shop::open().await;
    let cup = shop.stocked("cup", &[("CUP", 5)]).await.remove(0);
    let stock = shop.adjust(change(&cup, 7)).await.unwrap();
    assert_eq!((stock.on_hand, stock.reserved, stock.available), (12, 0, 12));
    assert_eq!(stock.name, format!("{cup}/stock"));
    let id = cup.rsplit('/').next().unwrap();
    shop.adjust(change(&format!("products/cup/variants/{id}"), -12)).await.unwrap();
    assert_eq!(shop.stock(&cup).await, (0, 0));
    assert_eq!(shop.count("SELECT count(*) FROM stock_movements WHERE reason = 'DAMAGED' AND delta = -12").await, 1);
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn a_change_sent_again_with_its_request_id_is_made_once() {
    let shop = Shop::open().await;
    let cup = shop.stocked("cup", &[("CUP", 5)]).await.remove(0);
    let keyed = pb::AdjustStockRequest { request_id: new_uuid().to_string(), ..change(&cup, 7) };
    let first = shop.adjust(keyed.clone()).await.unwrap();
    shop.adjust(change(&cup, 1)).await.unwrap();
    assert_eq!(shop.adjust(keyed.clone()).await.unwrap(), first);
    assert_eq!(shop.stock(&cup).await, (13, 0));

    let other = pb::AdjustStockRequest { delta: 8, ..keyed };
    assert_status(&shop.adjust(other).await.unwrap_err(), Code::InvalidArgument, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(shop.stock(&cup).await, (13, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_sent_twice_at_once_is_made_once_and_both_hear_so() {
    let shop = Shop::open().await;
    let cup = shop.stocked("cup", &[("CUP", 100)]).await.remove(0);
    for _ in 0..20 {
        // All that is there: whoever comes second finds nothing left to take, and must still hear of success.
        let keyed = pb::AdjustStockRequest { request_id: new_uuid().to_string(), ..change(&cup, -100) };
        let (one, two) = tokio::join!(shop.adjust(keyed.clone()), shop.adjust(keyed));
        assert_eq!(one.unwrap(), two.unwrap());
        shop.adjust(change(&cup, 100)).await.unwrap();
    }
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn units_that_orders_hold_can_not_be_taken() {
    let shop = Shop::open().await;
    let cup = shop.stocked("cup", &[("CUP", 5)]).await.remove(0);
    shop.reserve(OrderId::generate(), &[(&cup, 3)]).await.unwrap();
    let status = shop.adjust(change(&cup, -3)).await.unwrap_err();
    assert_status(&status, Code::FailedPrecondition, "INSUFFICIENT_STOCK");
    assert_eq!(status.get_details_error_info().unwrap().metadata["available"], "2");
    assert_eq!(status.get_details_precondition_failure().unwrap().violations[0].subject, cup);
    assert_eq!(shop.adjust(change(&cup, -2)).await.unwrap().available, 0);
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn changes_that_make_no_sense_are_refused() {
    let shop = Shop::open().await;
    let cup = shop.stocked("cup", &[("CUP", 5)]).await.remove(0);
    let unknown = format!("products/cup/variants/{}", new_uuid());
    assert_status(&shop.adjust(change(&unknown, 1)).await.unwrap_err(), Code::NotFound, "RESOURCE_NOT_FOUND");
    assert_field(&shop.adjust(change(&cup, 0)).await.unwrap_err(), "delta");
    assert_field(&shop.adjust(pb::AdjustStockRequest { reason: 0, ..change(&cup, 1) }).await.unwrap_err(), "reason");
    let bad_id = pb::AdjustStockRequest { request_id: "1".into(), ..change(&cup, 1) };
    assert_field(&shop.adjust(bad_id).await.unwrap_err(), "request_id");
    assert_eq!(shop.stock(&cup).await, (5, 0));
}

#[tokio::test]
async fn the_database_itself_refuses_to_oversell() {
    let shop = Shop::open().await;
    shop.stocked("cup", &[("CUP", 5)]).await;
    for bad in ["UPDATE stock SET reserved = 6", "UPDATE stock SET reserved = -1", "UPDATE stock SET on_hand = -1"] {
        let refused = sqlx::query(bad).execute(&shop.db).await.unwrap_err();
        assert_eq!(kontor_postgres::constraint(&refused), Some("stock_never_oversold"));
    }
}
