//! On a database that somebody else runs.

use kontor_auth::ServiceKey;
use kontor_postgres::testing;
use secrecy::ExposeSecret;
use serde_json::json;

use crate::data_dir::DataDir;
use crate::launcher::{Launcher, up};
use crate::shop::{ADMIN, KETTLE};

const PASSWORD: &str = "a long enough password";

/// As an earlier version wrote them, to which the catalog had no account. Roles are the server's, which other tests use at the same
/// time: so all of them must have the same passwords.
fn write_secrets(dir: &DataDir) {
    let password = testing::role("kontor_auth", "auth").password;
    let password = password.expose_secret();
    let secrets = json!({
        "auth_database": password,
        "catalog_database": password,
        "order_database": password,
        "key_encryption": "a2V5IGVuY3J5cHRpb24ga2V5IG9mIDMyIGJ5dGVzISE=",
        "order_service_key": ServiceKey::generate("order").expose_secret(),
        "admin_password": PASSWORD,
    });
    std::fs::write(dir.path().join("secrets.json"), secrets.to_string()).unwrap();
}

fn read_secrets(dir: &DataDir) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(dir.path().join("secrets.json")).unwrap()).unwrap()
}

#[tokio::test]
async fn a_database_that_was_named_is_used_and_no_postgres_started() {
    let database = testing::server().await.unwrap().database(&[]).await.unwrap();
    let dir = DataDir::new();
    write_secrets(&dir);
    let written = read_secrets(&dir);
    let mut command = up(&dir);
    command.env("KONTOR_DATABASE_URL", database.admin_url());
    let mut first = Launcher::start(&mut command).await;
    let completed = read_secrets(&dir);
    assert!(completed["catalog_service_key"].as_str().unwrap().starts_with("kt_sk_catalog_"));
    for (name, value) in written.as_object().unwrap() {
        assert_eq!(&completed[name], value);
    }
    assert!(!dir.path().join("postgres").exists());
    let order = first.shop().buy(KETTLE).await;
    assert_eq!(first.stop("TERM").await.code(), Some(0), "{}", first.program.complained());
    assert!(!first.program.complained().contains("kontor-test"), "no password in the log");

    let again = Launcher::start(&mut command).await;
    assert_eq!(read_secrets(&dir), completed);
    let shop = again.shop();
    assert_eq!(shop.get(&format!("v1/{}", order["name"].as_str().unwrap())).await, order);
    assert!(shop.sign_in(ADMIN, PASSWORD).await.is_some());
}

#[tokio::test]
async fn a_database_that_can_not_be_reached_ends_it_without_repeating_the_password() {
    let dir = DataDir::new();
    let mut command = up(&dir);
    let nobody = kontor_testkit::free_addr();
    command.env("KONTOR_DATABASE_URL", format!("postgres://admin:hunter2-hunter2@{nobody}/shop"));
    let mut program = kontor_testkit::Program::start(&mut command);
    assert_eq!(program.ends(std::time::Duration::from_secs(60)).await.code(), Some(1));
    let complained = program.complained();
    let words = complained.lines().last().unwrap();
    assert!(words.starts_with("kontor: ") && words.contains("database"), "{complained}");
    assert!(!complained.contains("hunter2"), "{complained}");
}
