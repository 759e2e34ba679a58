//! All processes of a test run share one Postgres.

use std::process::Stdio;

use kontor_postgres::testing::{role, server};
use sqlx::{Connection, PgConnection};
use tokio::process::Command;

const MARK: &str = "server identity: ";

/// Run by the test below, in processes of its own.
#[tokio::test]
#[ignore = "a part of processes_that_start_at_once_share_one_server"]
async fn prints_its_server() {
    let server = server().await.unwrap();
    // Roles and databases made at the same moment must not trip over each other.
    server.database(&[role("shared_server", "shared_server")]).await.unwrap();
    let mut conn = PgConnection::connect(&server.admin_url()).await.unwrap();
    let identity: i64 =
        sqlx::query_scalar("SELECT system_identifier FROM pg_control_system()").fetch_one(&mut conn).await.unwrap();
    println!("{MARK}{identity}");
}

async fn identity_seen_by_another_process() -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "shared_server::prints_its_server"])
        .stderr(Stdio::inherit())
        .output()
        .await
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let start = text.find(MARK).unwrap_or_else(|| panic!("no server: {text}"));
    text[start + MARK.len()..].lines().next().unwrap().to_owned()
}

#[tokio::test]
async fn processes_that_start_at_once_share_one_server() {
    let seen = futures_util::future::join_all((0..3).map(|_| identity_seen_by_another_process())).await;
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
}
