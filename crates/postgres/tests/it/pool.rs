//! A connection whose packets vanish is noticed before somebody has to wait for it.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use kontor_postgres::testing::{role, server};
use kontor_postgres::{PoolOptions, connect};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

const SOCKET: &str = ".s.PGSQL.5432";

/// A socket folder before the real one. Connections made before `frozen` is set pass nothing on
/// from then on, and stay open.
fn freezing_proxy(real: PathBuf, frozen: Arc<AtomicBool>) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o700)).unwrap();
    let listener = UnixListener::bind(dir.path().join(SOCKET)).unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = UnixStream::connect(real.join(SOCKET)).await.unwrap();
            let stop = if frozen.load(Ordering::SeqCst) { Arc::default() } else { frozen.clone() };
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            tokio::spawn(pump(from_client, to_server, Arc::clone(&stop)));
            tokio::spawn(pump(from_server, to_client, stop));
        }
    });
    dir
}

async fn pump(mut from: impl AsyncReadExt + Unpin, mut to: impl AsyncWriteExt + Unpin, stop: Arc<AtomicBool>) {
    let mut buffer = [0; 8192];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if stop.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        to.write_all(&buffer[..read]).await.unwrap();
    }
}

/// The folder in the URL's `host=`.
fn socket_dir(url: &str) -> (String, PathBuf) {
    let rest = url.split("host=").nth(1).unwrap();
    let encoded = rest.split('&').next().unwrap().to_owned();
    let dir = PathBuf::from(encoded.replace("%2F", "/"));
    (encoded, dir)
}

#[tokio::test]
async fn a_connection_that_went_silent_while_idle_does_not_cost_the_whole_timeout() {
    let owner = role("pool", "pool");
    let database = server().await.unwrap().database(std::slice::from_ref(&owner)).await.unwrap();
    let url = database.url(&owner);
    let (encoded, real) = socket_dir(&url);
    assert!(real.join(SOCKET).exists(), "{}", real.display());
    let frozen = Arc::new(AtomicBool::new(false));
    let proxy = freezing_proxy(real, Arc::clone(&frozen));
    let url = url.replace(&encoded, &Path::display(proxy.path()).to_string());
    let acquire_timeout = Duration::from_secs(300);
    let pool = connect(&PoolOptions { max_connections: 1, acquire_timeout, ..PoolOptions::new(url) }).await.unwrap();

    frozen.store(true, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(5_500)).await;
    let asked = sqlx::query_scalar("SELECT 1").fetch_one(pool.sqlx());
    let one: i32 = tokio::time::timeout(Duration::from_secs(100), asked).await.unwrap().unwrap();
    assert_eq!(one, 1);
}
