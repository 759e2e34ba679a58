//! Holds that nobody ends in time.

use kontor_proto::kontor::catalog::v1 as pb;
use kontor_types::ids::OrderId;
use pb::reservation::State;
use tonic::Code;

use crate::shop::{Shop, assert_status};

async fn with_cups(number: i64) -> (Shop, String) {
    let shop = Shop::open().await;
    let cup = shop.stocked("cup", &[("CUP", number)]).await.remove(0);
    (shop, cup)
}

fn states(told: &[pb::Reservation]) -> Vec<State> {
    told.iter().map(pb::Reservation::state).collect()
}

#[tokio::test]
async fn a_hold_ends_by_itself_and_its_units_can_be_ordered_again() {
    let shop = Shop::holding_for(1).await;
    let cup = shop.stocked("cup", &[("CUP", 3)]).await.remove(0);
    let (late, other) = (OrderId::generate(), OrderId::generate());
    shop.reserve(late, &[(&cup, 3)]).await.unwrap();
    shop.wait_until_expired(late).await;
    let expired = shop.reservation(late).await.unwrap();
    assert_eq!((expired.expire_time, expired.lines.len()), (None, 1));
    assert_eq!(states(&shop.told(late).await), [State::Held, State::Expired]);
    assert_eq!(shop.reserve(other, &[(&cup, 2)]).await.unwrap().state(), State::Held);
    shop.wait_until_expired(other).await;
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn many_holds_that_end_at_once_give_back_exactly_what_they_held() {
    let shop = Shop::open().await;
    let variants = shop.stocked("set", &[("A", 300), ("B", 300)]).await;
    let orders: Vec<OrderId> = (0..120).map(|_| OrderId::generate()).collect();
    for (n, order) in orders.iter().enumerate() {
        let lines = [(variants[n % 2].as_str(), 2), (&variants[(n + 1) % 2], 1)];
        shop.reserve(*order, &lines).await.unwrap();
    }
    let kept = orders[0];
    sqlx::query("UPDATE reservations SET expire_time = now() WHERE order_id <> $1")
        .bind(kept.0)
        .execute(&shop.db)
        .await
        .unwrap();
    for order in &orders[1..] {
        shop.wait_until_expired(*order).await;
    }
    assert_eq!((shop.stock(&variants[0]).await, shop.stock(&variants[1]).await), ((300, 2), (300, 1)));
    assert_eq!(shop.reservation(kept).await.unwrap().state(), State::Held);
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn an_expired_hold_is_taken_up_again_if_there_are_units() {
    let (shop, cup) = with_cups(3).await;
    let order = OrderId::generate();
    let lines = [(cup.as_str(), 3)];
    shop.reserve(order, &lines).await.unwrap();
    shop.age(order, 0).await;
    assert_status(&shop.confirm(order).await.unwrap_err(), Code::FailedPrecondition, "RESERVATION_EXPIRED");
    let other = shop.reserve(order, &[(&cup, 1)]).await.unwrap_err();
    assert_status(&other, Code::InvalidArgument, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(shop.stock(&cup).await, (3, 0));

    let again = shop.reserve(order, &lines).await.unwrap();
    assert_eq!((again.state(), again.expire_time.is_some()), (State::Held, true));
    assert_eq!(shop.reserve(order, &lines).await.unwrap(), again);
    assert_eq!(shop.stock(&cup).await, (3, 3));
    assert_eq!(shop.confirm(order).await.unwrap().state(), State::Confirmed);
    assert_eq!(shop.stock(&cup).await, (0, 0));
    let told = shop.told(order).await;
    assert_eq!(states(&told), [State::Held, State::Expired, State::Held, State::Confirmed]);
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn an_expired_hold_whose_units_went_to_another_order_is_refused_for_good() {
    let (shop, cup) = with_cups(3).await;
    let (order, faster) = (OrderId::generate(), OrderId::generate());
    shop.reserve(order, &[(&cup, 3)]).await.unwrap();
    shop.age(order, 0).await;
    shop.reserve(faster, &[(&cup, 1)]).await.unwrap();
    let refused = shop.reserve(order, &[(&cup, 3)]).await.unwrap();
    assert_eq!((refused.state(), refused.shortages[0].available_quantity), (State::Refused, 2));

    shop.release(faster).await.unwrap();
    assert_eq!(shop.reserve(order, &[(&cup, 3)]).await.unwrap(), refused);
    assert_status(&shop.confirm(order).await.unwrap_err(), Code::FailedPrecondition, "RESERVATION_ENDED");
    assert_eq!(shop.release(order).await.unwrap(), refused);
    assert_eq!(states(&shop.told(order).await), [State::Held, State::Expired, State::Refused]);
    assert_eq!(shop.stock(&cup).await, (3, 0));
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn an_expired_hold_that_is_let_go_gives_nothing_back_twice() {
    let (shop, cup) = with_cups(3).await;
    let order = OrderId::generate();
    shop.reserve(order, &[(&cup, 2)]).await.unwrap();
    shop.age(order, 0).await;
    let gone = shop.release(order).await.unwrap();
    assert_eq!((gone.state(), gone.lines.len()), (State::Released, 1));
    assert_eq!(shop.reserve(order, &[(&cup, 2)]).await.unwrap(), gone);
    assert_status(&shop.confirm(order).await.unwrap_err(), Code::FailedPrecondition, "RESERVATION_ENDED");
    assert_eq!(states(&shop.told(order).await), [State::Held, State::Expired, State::Released]);
    assert_eq!(shop.stock(&cup).await, (3, 0));
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn a_hold_that_is_asked_for_again_is_renewed_once_half_of_it_is_over() {
    let (shop, cup) = with_cups(3).await;
    let order = OrderId::generate();
    let first = shop.reserve(order, &[(&cup, 2)]).await.unwrap();
    shop.age(order, 1900).await;
    let early = shop.reserve(order, &[(&cup, 2)]).await.unwrap();
    shop.age(order, 1700).await;
    let late = shop.reserve(order, &[(&cup, 2)]).await.unwrap();
    let until = |held: &pb::Reservation| held.expire_time.as_ref().unwrap().seconds;
    assert!(until(&early) < until(&first), "with more than half of it left, it stays as it is");
    assert!(until(&late) >= until(&first), "{} seconds were added", until(&late) - until(&early));
    assert_eq!(states(&shop.told(order).await), [State::Held], "nothing has happened that others must know");
    shop.assert_books_balance().await;
}

#[tokio::test]
async fn a_hold_that_is_over_and_not_yet_let_go_can_still_be_taken_or_renewed() {
    let (shop, cup) = with_cups(4).await;
    // Whoever comes first has the row; in both cases the units are held, and are not given back.
    for _ in 0..20 {
        let order = OrderId::generate();
        let lines = [(cup.as_str(), 1)];
        shop.reserve(order, &lines).await.unwrap();
        sqlx::query("UPDATE reservations SET expire_time = now() WHERE order_id = $1")
            .bind(order.0)
            .execute(&shop.db)
            .await
            .unwrap();
        assert_eq!(shop.reserve(order, &lines).await.unwrap().state(), State::Held);
        assert_eq!(shop.stock(&cup).await, (4, 1));
        shop.release(order).await.unwrap();
    }
    shop.assert_books_balance().await;
}
