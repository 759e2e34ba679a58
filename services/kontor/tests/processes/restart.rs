//! Stopped by a signal, Kontor stops all of it; started again, it goes on where it was.

use crate::data_dir::DataDir;
use crate::launcher::{Launcher, up};
use crate::shop::{ADMIN, KETTLE};

#[tokio::test]
async fn stopped_it_leaves_nothing_running_and_started_again_it_knows_everything() {
    let dir = DataDir::new();
    let mut first = Launcher::start(&mut up(&dir)).await;
    let (shop, password) = (first.shop(), first.password());
    let order = shop.buy(KETTLE).await;
    let (name, variant) = (order["name"].as_str().unwrap(), order["lines"][0]["variant"].as_str().unwrap());
    let (products, stock) = (shop.product_count().await, shop.stock(variant).await);
    assert!(products > 0 && first.program.said().contains("loading the sample catalog"));
    for service in ["auth", "catalog", "order", "sandbox-psp"] {
        first.shown(service).parse::<std::net::SocketAddr>().unwrap();
    }

    assert_eq!(first.stop("INT").await.code(), Some(0), "{}", first.program.complained());
    assert!(!dir.postmaster_file().exists(), "Postgres still runs");

    let mut again = Launcher::start(&mut up(&dir)).await;
    let shop = again.shop();
    assert_eq!(shop.get(&format!("v1/{name}")).await, order);
    assert_eq!((shop.product_count().await, shop.stock(variant).await), (products, stock));
    let said = again.program.said();
    assert!(!said.contains("loading the sample catalog") && !said.contains(&password), "{said}");
    assert!(shop.sign_in(ADMIN, &password).await.is_some(), "the first password still signs in");
    assert_eq!(shop.sign_in(ADMIN, "not the password").await, None);
    shop.buy(KETTLE).await;

    assert_eq!(again.stop("TERM").await.code(), Some(0), "{}", again.program.complained());
    assert!(!dir.postmaster_file().exists(), "Postgres still runs");
}

#[tokio::test]
async fn a_stop_during_the_start_is_a_clean_one_too() {
    let dir = DataDir::new();
    let mut program = kontor_testkit::Program::start(&mut up(&dir));
    program.says("starting the services", std::time::Duration::from_secs(60)).await;
    program.signal("INT");
    let status = program.ends(std::time::Duration::from_secs(40)).await;
    assert_eq!(status.code(), Some(0), "{}", program.complained());
    assert!(!dir.postmaster_file().exists(), "Postgres still runs");
}

#[tokio::test]
async fn a_first_start_refused_for_its_password_is_mended_by_a_better_one_which_is_kept() {
    let dir = DataDir::new();
    let with_password = |password: &str| {
        let mut command = up(&dir);
        command.env("KONTOR_ADMIN_PASSWORD", password);
        command
    };
    let mut weak = kontor_testkit::Program::start(&mut with_password("abababababababab"));
    assert_eq!(weak.ends(std::time::Duration::from_secs(90)).await.code(), Some(1));
    assert!(weak.complained().contains("sequence or repetition"), "{}", weak.complained());

    let good = "nine quiet violins";
    let mut second = Launcher::start(&mut with_password(good)).await;
    assert!(second.shop().sign_in(ADMIN, good).await.is_some());
    assert_eq!(second.stop("INT").await.code(), Some(0));

    let third = Launcher::start(&mut up(&dir)).await;
    assert!(third.shop().sign_in(ADMIN, good).await.is_some());
    let kept = std::fs::read_to_string(dir.path().join("secrets.json")).unwrap();
    assert!(kept.contains(good) && !kept.contains("short"));
}
