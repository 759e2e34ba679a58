//! Start or join, under a lock that the processes of a run pass on.
//!
//! The folder holds one folder per server (one in use, others ending), and `current` with the
//! newest one's folder and address. A server's folder holds `open` for as long as it may be
//! joined. A joiner connects, then looks whether `open` is still there; the watcher removes `open`,
//! then looks whether somebody is connected. So one of them sees the other, whoever is first.

use std::fs::{self, File, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};
use tokio::time::{Instant, sleep, timeout};
use url::Url;

use super::{folder, watcher};
use crate::Error;
use crate::secret_url::SecretUrl;
use crate::server::{self, Server, ServerError, ServerOptions, running};

/// Another process may be making the cluster.
const LOCK_LIMIT: Duration = Duration::from_secs(120);
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// This process's part in the run's server. Kept until the process ends.
pub(super) struct Shared {
    pub(super) admin_url: SecretUrl,
    /// Open so that the watcher sees us; never used.
    _keeper: Mutex<PgConnection>,
    _server: Option<Server>,
}

/// Joins the run's server, or starts it.
pub(super) async fn join() -> Result<Shared, Error> {
    let folder = folder::prepare()?;
    let _turn = take_turn(&folder.join("lock")).await?;
    match join_current(&folder).await {
        Some(shared) => Ok(shared),
        None => start(&folder).await,
    }
}

async fn take_turn(path: &Path) -> Result<File, ServerError> {
    let file = File::create(path).map_err(ServerError::io("create", path))?;
    let began = Instant::now();
    while began.elapsed() < LOCK_LIMIT {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(50)).await,
            Err(TryLockError::Error(source)) => return Err(ServerError::io("lock", path)(source)),
        }
    }
    Err(ServerError::io("lock", path)(std::io::ErrorKind::TimedOut.into()))
}

async fn join_current(folder: &Path) -> Option<Shared> {
    let current = fs::read_to_string(folder.join("current")).ok()?;
    let (dir, url) = current.trim().split_once('\n')?;
    let admin_url = Url::parse(url).ok()?;
    let open = Path::new(dir).join("open");
    if !open.exists() {
        return None;
    }
    let keeper = connect(&admin_url).await?;
    let admin_url = SecretUrl(admin_url);
    open.exists().then(|| Shared { admin_url, _keeper: Mutex::new(keeper), _server: None })
}

async fn connect(url: &Url) -> Option<PgConnection> {
    let options = PgConnectOptions::from_url(url).ok()?;
    timeout(CONNECT_LIMIT, options.connect()).await.ok()?.ok()
}

async fn start(folder: &Path) -> Result<Shared, Error> {
    remove_dead(folder);
    let dir = folder.join(format!("{:08x}", rand::random::<u32>()));
    let server = server::start(ServerOptions {
        durable: false,
        max_connections: 500,
        shared_buffers_mb: 128,
        ..ServerOptions::new(&dir)
    })
    .await?;
    match publish(folder, &dir, &server).await {
        Ok((admin_url, keeper)) => Ok(Shared { admin_url, _keeper: Mutex::new(keeper), _server: Some(server) }),
        Err(error) => {
            server.stop().await?;
            Err(error)
        }
    }
}

async fn publish(folder: &Path, dir: &Path, server: &Server) -> Result<(SecretUrl, PgConnection), Error> {
    let admin_url = Url::parse(&server.url("postgres"))?;
    let keeper = PgConnectOptions::from_url(&admin_url)?.connect().await?;
    write(&dir.join("open"), "")?;
    watcher::spawn(server)?;
    write(&folder.join("current"), &format!("{}\n{admin_url}\n", dir.display()))?;
    Ok((SecretUrl(admin_url), keeper))
}

/// Writes a file that only its owner can read: the address holds a password.
fn write(path: &Path, text: &str) -> Result<(), ServerError> {
    use std::io::Write;
    File::options()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(ServerError::io("write", path))
}

/// Removes what servers left whose watcher did not live to do so (a reboot, for one).
fn remove_dead(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let dirs = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir());
    for dir in dirs.filter(|dir| running(&dir.join("cluster")).is_none()) {
        // Best effort: a leftover takes room and does no harm.
        let _ = fs::remove_dir_all(dir);
    }
}
