//! Many orders at once.

use std::sync::Arc;
use std::time::Duration;

use kontor_catalog::ops::Catalog;
use kontor_proto::kontor::catalog::v1 as pb;
use kontor_types::ids::OrderId;
use pb::reservation::State;
use tokio::task::JoinSet;
use tonic::{Code, Status};

use crate::shop::Shop;

/// Runs calls at once, and gives their answers.
pub async fn at_once<F>(calls: impl IntoIterator<Item = F>) -> Vec<Result<pb::Reservation, Status>>
where
    F: Future<Output = Result<pb::Reservation, Status>> + Send + 'static,
{
    calls.into_iter().collect::<JoinSet<_>>().join_all().await
}

fn number_of(answers: &[Result<pb::Reservation, Status>], state: State) -> usize {
    answers.iter().filter(|answer| answer.as_ref().unwrap().state() == state).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_units_go_to_ten_of_fifty_orders() {
    let shop = Arc::new(Shop::open_patient().await);
    let stock: Vec<(String, i64)> = (0..10).map(|n| (format!("CUP-{n}"), 10)).collect();
    let stock: Vec<(&str, i64)> = stock.iter().map(|(sku, units)| (sku.as_str(), *units)).collect();
    // The first rounds open the service's connections; only then do the orders truly meet.
    for cup in shop.stocked("cup", &stock).await {
        let calls = (0..50).map(|_| {
            let (shop, cup) = (shop.clone(), cup.clone());
            async move { shop.reserve(OrderId::generate(), &[(&cup, 1)]).await }
        });
        let answers = at_once(calls).await;
        assert_eq!((number_of(&answers, State::Held), number_of(&answers, State::Refused)), (10, 40));
        assert_eq!(shop.stock(&cup).await, (10, 10));
    }
    shop.assert_books_balance().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_units_go_to_fifty_of_two_hundred_orders() {
    let shop = Arc::new(Shop::open_patient().await);
    let cup = shop.stocked("cup", &[("CUP", 50)]).await.remove(0);
    let calls = (0..200).map(|_| {
        let (shop, cup) = (shop.clone(), cup.clone());
        async move { shop.reserve(OrderId::generate(), &[(&cup, 1)]).await }
    });
    let answers = at_once(calls).await;
    assert_eq!((number_of(&answers, State::Held), number_of(&answers, State::Refused)), (50, 150));
    assert_eq!(shop.stock(&cup).await, (50, 50));
    shop.assert_books_balance().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_that_name_the_same_variants_in_opposite_order_all_go_through() {
    let shop = Arc::new(Shop::open_patient().await);
    let variants = Arc::new(shop.stocked("set", &[("A", 500), ("B", 500), ("C", 500)]).await);
    // Again and again: the service opens its connections one by one, and two orders must meet to hurt each other.
    for round in 1..=4 {
        let calls = (0..60).map(|n| {
            let (shop, variants) = (shop.clone(), variants.clone());
            async move { buy(&shop, &variants, n).await }
        });
        let answers = at_once(calls).await;
        assert_eq!((number_of(&answers, State::Released), number_of(&answers, State::Confirmed)), (20, 40));
        for variant in variants.iter() {
            assert_eq!(shop.stock(variant).await, (500 - round * 80, 0));
        }
    }
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(shop.count(deadlocks).await, 0);
    shop.assert_books_balance().await;
}

/// Holds two of each variant, every other time in opposite order, and lets go every third time.
async fn buy(shop: &Shop, variants: &[String], n: usize) -> Result<pb::Reservation, Status> {
    let mut lines: Vec<(&str, i32)> = variants.iter().map(|variant| (variant.as_str(), 2)).collect();
    if n.is_multiple_of(2) {
        lines.reverse();
    }
    let order = OrderId::generate();
    shop.reserve(order, &lines).await?;
    if n.is_multiple_of(3) { shop.release(order).await } else { shop.confirm(order).await }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_order_that_asks_many_times_at_once_holds_its_units_once() {
    let shop = Arc::new(Shop::open_patient().await);
    let cup = shop.stocked("cup", &[("CUP", 10)]).await.remove(0);
    let order = OrderId::generate();
    let calls = (0..20).map(|_| {
        let (shop, cup) = (shop.clone(), cup.clone());
        async move { shop.reserve(order, &[(&cup, 6)]).await }
    });
    let answers = at_once(calls).await;
    assert_eq!(number_of(&answers, State::Held), 20);
    assert_eq!(shop.stock(&cup).await, (10, 6));
    shop.assert_books_balance().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reserve_confirm_and_release_of_one_order_at_once_agree_on_one_end() {
    let shop = Arc::new(Shop::open_patient().await);
    let cup = shop.stocked("cup", &[("CUP", 1000)]).await.remove(0);
    for _ in 0..40 {
        let order = OrderId::generate();
        let lines = [(cup.as_str(), 1)];
        let (reserved, confirmed, released) =
            tokio::join!(shop.reserve(order, &lines), shop.confirm(order), shop.release(order));
        let end = shop.reserve(order, &lines).await.unwrap().state();
        reserved.unwrap();
        match end {
            State::Confirmed => assert!(confirmed.is_ok() && released.is_err()),
            State::Released => assert!(confirmed.is_err() && released.is_ok()),
            other => panic!("{other:?} is no end"),
        }
    }
    let sold = shop.count("SELECT count(*) FROM reservations WHERE state = 'CONFIRMED'").await;
    assert_eq!(shop.stock(&cup).await, (1000 - sold, 0));
    shop.assert_books_balance().await;
}

/// Lets the hold of an order expire, if it is held, and sweeps.
async fn expire(shop: &Shop, sweeper: &Catalog, order: OrderId) {
    let sql = "UPDATE reservations SET expire_time = now() WHERE order_id = $1 AND state = 'HELD'";
    sqlx::query(sql).bind(order.0).execute(&shop.db).await.unwrap();
    sweeper.expire(10).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_befalls_one_order_at_once_its_units_are_counted_right() {
    let shop = Shop::open_patient().await;
    let variants = shop.stocked("set", &[("A", 150), ("B", 150)]).await;
    let sweeper = Catalog::new(shop.pool.clone(), Duration::from_secs(3600));
    let mut lines = [(variants[0].as_str(), 1), (&variants[1], 2)];
    let mut seen = Vec::new();
    for round in 0..90 {
        let order = OrderId::generate();
        lines.reverse();
        if round % 3 > 0 {
            shop.reserve(order, &lines).await.unwrap();
        }
        let (reserved, confirmed, (), again, released) = tokio::join!(
            shop.reserve(order, &lines),
            shop.confirm(order),
            expire(&shop, &sweeper, order),
            shop.reserve(order, &lines),
            async { if round % 2 == 0 { Some(shop.release(order).await) } else { None } },
        );
        for refused in [reserved, confirmed, again].into_iter().chain(released).filter_map(Result::err) {
            assert!(matches!(refused.code(), Code::FailedPrecondition | Code::NotFound), "{refused:?}");
        }
        seen.extend(shop.told(order).await.iter().map(pb::Reservation::state));
        shop.assert_books_balance().await;
    }
    for state in [State::Held, State::Confirmed, State::Released, State::Expired] {
        assert!(seen.contains(&state), "{state:?} never came about, so nothing was shown");
    }
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert_eq!(shop.count(deadlocks).await, 0);
}
