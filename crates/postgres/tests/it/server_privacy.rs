//! Nobody else gets at the private server, and what it promises about disks is switched on.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use kontor_postgres::Error;
use kontor_postgres::server::{Server, ServerError, ServerOptions, start};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;

async fn server(durable: bool) -> (TempDir, Server) {
    let parent = tempfile::tempdir().unwrap();
    fs::set_permissions(parent.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let options = ServerOptions::new(parent.path().join("data"));
    let server = start(ServerOptions { durable, shared_buffers_mb: 16, ..options }).await.unwrap();
    (parent, server)
}

async fn setting(server: &Server, name: &str) -> String {
    let mut conn = PgConnection::connect(&server.url("postgres")).await.unwrap();
    sqlx::query_scalar("SELECT current_setting($1)").bind(name).fetch_one(&mut conn).await.unwrap()
}

#[tokio::test]
async fn a_durable_server_writes_through_and_a_test_server_does_not() {
    for (durable, expected) in [(true, "on"), (false, "off")] {
        let (_parent, server) = server(durable).await;
        for name in ["fsync", "full_page_writes", "synchronous_commit"] {
            assert_eq!(setting(&server, name).await, expected, "{name}");
        }
        server.stop().await.unwrap();
    }
}

#[tokio::test]
async fn nothing_listens_on_tcp_and_files_are_closed_to_others() {
    let (parent, server) = server(false).await;
    assert_eq!(setting(&server, "listen_addresses").await, "");
    for (path, mode) in [("run", 0o700), ("cluster", 0o700), ("admin-password", 0o600)] {
        let meta = fs::metadata(parent.path().join("data").join(path)).unwrap();
        assert_eq!(meta.mode() & 0o777, mode, "{path}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let (_parent, server) = server(false).await;
    let url = server.url("postgres");
    let login = url.split('@').next().unwrap();
    let wrong = url.replace(login, "postgres://postgres:wrong");
    let error = PgConnection::connect(&wrong).await.unwrap_err();
    assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("28P01"));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn neither_debug_output_nor_the_hint_for_a_shell_holds_the_password() {
    let (parent, server) = server(false).await;
    let password = fs::read_to_string(parent.path().join("data/admin-password")).unwrap();
    assert!(server.url("postgres").contains(password.trim()));
    assert!(!server.psql_hint().contains(password.trim()));
    assert!(!format!("{server:?}").contains(password.trim()));
    server.stop().await.unwrap();
}

/// Only root starts the server as somebody else; for others there is nothing to see.
#[tokio::test]
async fn as_root_a_closed_parent_is_named() {
    let parent = tempfile::tempdir().unwrap();
    if fs::metadata(parent.path()).unwrap().uid() != 0 {
        return;
    }
    fs::set_permissions(parent.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let error = start(ServerOptions::new(parent.path().join("data"))).await.unwrap_err();
    let Error::Server(ServerError::NotEnterable { dir, .. }) = error else { panic!("{error}") };
    assert_eq!(dir, parent.path().canonicalize().unwrap());
}
