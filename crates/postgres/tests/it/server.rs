//! The private server comes back after whatever happened to it, and its folder has one owner.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use kontor_postgres::Error;
use kontor_postgres::server::{Server, ServerError, ServerOptions, start};
use sqlx::{Connection, Executor, PgConnection};
use tempfile::TempDir;

/// A folder below one that the server's user may enter.
fn folder() -> (TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    fs::set_permissions(parent.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let data_dir = parent.path().join("data");
    (parent, data_dir)
}

async fn durable(data_dir: &Path) -> Result<Server, Error> {
    start(ServerOptions { shared_buffers_mb: 16, ..ServerOptions::new(data_dir) }).await
}

async fn connect(server: &Server) -> PgConnection {
    PgConnection::connect(&server.url("postgres")).await.unwrap()
}

async fn write_note(server: &Server) {
    let mut conn = connect(server).await;
    conn.execute("CREATE TABLE note (text text)").await.unwrap();
    conn.execute("INSERT INTO note VALUES ('kept')").await.unwrap();
}

async fn note(server: &Server) -> String {
    let mut conn = connect(server).await;
    sqlx::query_scalar("SELECT text FROM note").fetch_one(&mut conn).await.unwrap()
}

fn kill_9(pid: u32) {
    let killed = Command::new("sh").args(["-c", &format!("kill -9 {pid}")]).status().unwrap();
    assert!(killed.success());
}

fn is_running(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}/cwd")).read_link().is_ok()
}

#[tokio::test]
async fn a_stopped_server_ends_and_keeps_its_data() {
    let (_parent, data_dir) = folder();
    let server = durable(&data_dir).await.unwrap();
    let pid = server.pid();
    write_note(&server).await;
    server.stop().await.unwrap();
    assert!(!is_running(pid));
    let server = durable(&data_dir).await.unwrap();
    assert_eq!(note(&server).await, "kept");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn ctrl_c_in_the_terminal_does_not_reach_postgres() {
    let (_parent, data_dir) = folder();
    let server = durable(&data_dir).await.unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", server.pid())).unwrap();
    // After the name in brackets: state, parent, process group.
    let group = stat.rsplit_once(") ").unwrap().1.split(' ').nth(2).unwrap();
    assert_eq!(group, server.pid().to_string());
    server.stop().await.unwrap();
}

#[tokio::test]
async fn stopping_does_not_wait_for_open_sessions() {
    let (_parent, data_dir) = folder();
    let server = durable(&data_dir).await.unwrap();
    let mut session = connect(&server).await;
    session.execute("BEGIN").await.unwrap();
    tokio::time::timeout(Duration::from_secs(10), server.stop()).await.unwrap().unwrap();
    assert!(session.ping().await.is_err());
}

#[tokio::test]
async fn after_postgres_was_killed_it_recovers_what_was_committed() {
    let (_parent, data_dir) = folder();
    let server = durable(&data_dir).await.unwrap();
    write_note(&server).await;
    // A session that is open at that moment outlives its postmaster for a while.
    let _session = connect(&server).await;
    kill_9(server.pid());
    drop(server);
    let server = durable(&data_dir).await.unwrap();
    assert_eq!(note(&server).await, "kept");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_postgres_that_was_left_running_is_replaced() {
    let (_parent, data_dir) = folder();
    let abandoned = durable(&data_dir).await.unwrap();
    let old_pid = abandoned.pid();
    write_note(&abandoned).await;
    drop(abandoned);
    assert!(is_running(old_pid), "dropping must not stop it, or this test shows nothing");
    let server = durable(&data_dir).await.unwrap();
    assert_ne!(server.pid(), old_pid);
    assert!(!is_running(old_pid));
    assert_eq!(note(&server).await, "kept");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_pid_file_that_names_a_stranger_is_not_obeyed() {
    let (_parent, data_dir) = folder();
    durable(&data_dir).await.unwrap().stop().await.unwrap();
    let mut stranger = Command::new("sleep").arg("60").spawn().unwrap();
    let pid_file = data_dir.join("cluster/postmaster.pid");
    fs::write(pid_file, format!("{}\n", stranger.id())).unwrap();
    let server = durable(&data_dir).await.unwrap();
    assert!(stranger.try_wait().unwrap().is_none(), "the stranger must live");
    server.stop().await.unwrap();
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

#[tokio::test]
async fn a_cluster_that_was_made_by_halves_is_made_again() {
    let (_parent, data_dir) = folder();
    fs::create_dir_all(data_dir.join("cluster.new/base")).unwrap();
    fs::write(data_dir.join("cluster.new/PG_VERSION"), "1").unwrap();
    fs::write(data_dir.join("admin-password"), "from the attempt that failed").unwrap();
    let server = durable(&data_dir).await.unwrap();
    write_note(&server).await;
    assert!(!data_dir.join("cluster.new").exists());
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_second_start_on_the_same_folder_is_refused() {
    let (_parent, data_dir) = folder();
    let server = durable(&data_dir).await.unwrap();
    let refused = durable(&data_dir).await.unwrap_err();
    assert!(matches!(refused, Error::Server(ServerError::InUse(_))), "{refused}");
    write_note(&server).await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_works_all_the_same() {
    let (_parent, data_dir) = folder();
    let server = durable(&data_dir.join("d".repeat(120))).await.unwrap();
    write_note(&server).await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn after_a_crash_it_starts_again_with_what_was_committed() {
    let (_parent, data_dir) = folder();
    let mut server = durable(&data_dir).await.unwrap();
    write_note(&server).await;
    let mut session = connect(&server).await;
    session.execute("BEGIN; INSERT INTO note VALUES ('never committed')").await.unwrap();
    server.crash().await.unwrap();
    assert!(session.execute("COMMIT").await.is_err(), "its sessions broke off");
    assert!(!server.socket().exists() || std::os::unix::net::UnixStream::connect(server.socket()).is_err());
    server.start_again().await.unwrap();
    assert_eq!(note(&server).await, "kept");
    std::os::unix::net::UnixStream::connect(server.socket()).unwrap();
    server.stop().await.unwrap();
}
