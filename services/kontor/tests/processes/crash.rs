//! SIGKILL at any moment loses nothing that was acknowledged, and keeps nothing from starting again.

use std::time::Duration;

use kontor_testkit::Program;
use kontor_testkit::program::send_signal;
use kontor_types::ids::new_uuid;

use crate::data_dir::DataDir;
use crate::launcher::{Launcher, up};
use crate::shop::{ADMIN, KETTLE, good};

#[tokio::test]
async fn an_order_under_way_when_kontor_was_killed_is_completed_by_the_next_start() {
    let dir = DataDir::new();
    let mut first = Launcher::start(&mut up(&dir)).await;
    let shop = first.shop();
    let bought = shop.buy(KETTLE).await;
    let checkout = shop.fill_cart(KETTLE).await;
    let before = shop.stock(&checkout.variant).await;
    let key = new_uuid().to_string();
    let placing = shop.place(&checkout, "tok_slow").header("idempotency-key", &key);
    let placing = tokio::spawn(placing.send());
    while shop.stock(&checkout.variant).await.1 == before.1 {
        assert!(!placing.is_finished(), "it was held before the call ended");
    }
    first.program.kill();
    assert!(placing.await.unwrap().is_err(), "the call was cut off");
    assert!(dir.postmaster().is_some(), "Postgres outlives the launcher that was killed");

    let second = Launcher::start(&mut up(&dir)).await;
    let shop = second.shop();
    assert_eq!(shop.get(&format!("v1/{}", bought["name"].as_str().unwrap())).await, bought);
    let order = good(shop.place(&checkout, "tok_slow").header("idempotency-key", &key)).await;
    let name = order["name"].as_str().unwrap();
    shop.completed(name, Duration::from_secs(60)).await;
    assert_eq!(shop.stock(&checkout.variant).await, (before.0 - 1, 0), "taken once");
    assert_eq!(dir.journaled("capture", name), 1, "paid once");
}

#[tokio::test]
async fn when_postgres_dies_alone_kontor_says_so_and_ends() {
    let dir = DataDir::new();
    let mut first = Launcher::start(&mut up(&dir)).await;
    let order = first.shop().buy(KETTLE).await;
    assert!(send_signal(dir.postmaster().unwrap(), "KILL"));
    let status = first.program.ends(Duration::from_secs(60)).await;
    assert_eq!(status.code(), Some(1));
    assert!(first.program.complained().contains("Postgres has ended by itself"), "{}", first.program.complained());

    let second = Launcher::start(&mut up(&dir)).await;
    assert_eq!(second.shop().get(&format!("v1/{}", order["name"].as_str().unwrap())).await, order);
}

#[tokio::test]
async fn killed_together_with_its_postgres_it_recovers() {
    let dir = DataDir::new();
    let mut first = Launcher::start(&mut up(&dir)).await;
    let (shop, password) = (first.shop(), first.password());
    let orders = [shop.buy(KETTLE).await, shop.buy(KETTLE).await];
    let variant = orders[0]["lines"][0]["variant"].as_str().unwrap();
    let (products, stock) = (shop.product_count().await, shop.stock(variant).await);
    let postmaster = dir.postmaster().unwrap();
    first.program.kill();
    assert!(send_signal(postmaster, "KILL"));

    let second = Launcher::start(&mut up(&dir)).await;
    let shop = second.shop();
    for order in &orders {
        assert_eq!(&shop.get(&format!("v1/{}", order["name"].as_str().unwrap())).await, order);
    }
    assert_eq!((shop.product_count().await, shop.stock(variant).await), (products, stock));
    assert!(shop.sign_in(ADMIN, &password).await.is_some());
    shop.buy(KETTLE).await;
}

/// Where a start has got to by then depends on the machine; from the making of the cluster to the loading of the sample, all of it is
/// fair game.
#[tokio::test]
async fn killed_at_any_moment_of_its_first_start_it_starts_the_next_time() {
    let dir = DataDir::new();
    for round in 1..=6 {
        let mut program = Program::start(&mut up(&dir));
        let moment = rand::random_range(0..=400 * round);
        tokio::time::sleep(Duration::from_millis(moment)).await;
        assert!(program.runs(), "round {round}, {moment} ms:\n{}", program.complained());
        program.kill();
    }
    let mut launcher = Launcher::start(&mut up(&dir)).await;
    launcher.shop().buy(KETTLE).await;
    assert_eq!(launcher.stop("INT").await.code(), Some(0));
}
