//! The Postgres process: started, waited for, stopped.

use std::os::unix::process::CommandExt;
use std::process::Child;
use std::time::Duration;

use sqlx::{ConnectOptions, Connection};
use tokio::time::{Instant, sleep, timeout};
use url::Url;

use super::site::Site;
use super::takeover::{self, LastEnd};
use super::{ServerError, ServerOptions, settings};
use crate::error::has_state;

/// Recovery after a crash is the longest reason to wait.
const READY_SECONDS: u64 = 60;
const POLL: Duration = Duration::from_millis(50);
/// How long sessions of a killed server may hold its memory before a new one can have it.
const LEFTOVERS_LIMIT: Duration = Duration::from_secs(15);
/// For `pg_ctl stop`, in seconds: with everything written down, and at once.
const FAST: (&str, &str) = ("fast", "20");
const AT_ONCE: (&str, &str) = ("immediate", "10");
const REAP_LIMIT: Duration = Duration::from_secs(5);

/// Starts Postgres and waits until it takes connections.
pub(super) async fn start(
    site: &Site,
    options: &ServerOptions,
    admin_url: &Url,
    last_end: LastEnd,
) -> Result<Child, ServerError> {
    let killed = last_end == LastEnd::Killed;
    let began = Instant::now();
    loop {
        let mut child = spawn(site, options)?;
        match wait_until_ready(site, &mut child, admin_url).await {
            Ok(()) => return Ok(child),
            Err(ServerError::Exited(_)) if killed && began.elapsed() < LEFTOVERS_LIMIT => {
                sleep(Duration::from_millis(250)).await;
            }
            Err(error) => {
                abandon(site, &mut child).await;
                return Err(error);
            }
        }
    }
}

/// Ends the Postgres of this cluster, gently at first.
pub(super) async fn stop(site: &Site) -> Result<(), ServerError> {
    stop_by(site, &[FAST, AT_ONCE]).await
}

/// Ends the Postgres of this cluster as a crash would.
pub(super) async fn crash(site: &Site) -> Result<(), ServerError> {
    stop_by(site, &[AT_ONCE]).await
}

async fn stop_by(site: &Site, ways: &[(&str, &str)]) -> Result<(), ServerError> {
    for (mode, seconds) in ways {
        if takeover::running(&site.layout.cluster).is_none() {
            return Ok(());
        }
        let mut command = site.command("pg_ctl")?;
        command.arg("stop").arg("-D").arg(&site.layout.cluster);
        command.args(["-s", "-w", "-m", mode, "-t", seconds]);
        // What it answers is of no interest: whether Postgres is gone, is.
        let ran = tokio::process::Command::from(command).status().await;
        ran.map_err(ServerError::io("run", &site.binaries.program("pg_ctl")))?;
    }
    match takeover::running(&site.layout.cluster) {
        Some(pid) => Err(ServerError::StillRunning { pid, log: site.layout.log.clone() }),
        None => Ok(()),
    }
}

/// Takes notice of the end of a process that was stopped.
pub(super) async fn reap(child: &mut Child) {
    let began = Instant::now();
    while matches!(child.try_wait(), Ok(None)) && began.elapsed() < REAP_LIMIT {
        sleep(POLL).await;
    }
}

fn spawn(site: &Site, options: &ServerOptions) -> Result<Child, ServerError> {
    site.layout.prepare_socket_dir(&site.account)?;
    let mut command = site.command("postgres")?;
    command.arg("-D").arg(&site.layout.cluster);
    for setting in settings::settings(options, &site.layout.socket_dir) {
        command.arg("-c").arg(setting);
    }
    // A process group of its own: Ctrl-C in the terminal is for us, who then stop it in order.
    command.process_group(0);
    command.spawn().map_err(ServerError::io("run", &site.binaries.program("postgres")))
}

async fn wait_until_ready(site: &Site, child: &mut Child, admin_url: &Url) -> Result<(), ServerError> {
    let log = &site.layout.log;
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(READY_SECONDS) {
        if !matches!(child.try_wait(), Ok(None)) {
            return Err(ServerError::Exited(log.clone()));
        }
        if answers(admin_url).await? {
            return Ok(());
        }
        sleep(POLL).await;
    }
    Err(ServerError::NotReady { seconds: READY_SECONDS, log: log.clone() })
}

/// Whether Postgres lets the administrator in. No socket yet, or still recovering: not yet.
async fn answers(admin_url: &Url) -> Result<bool, ServerError> {
    let options = sqlx::postgres::PgConnectOptions::from_url(admin_url);
    let options = options.map_err(ServerError::Refused)?;
    match timeout(Duration::from_secs(2), options.connect()).await {
        Ok(Ok(conn)) => conn.close().await.map(|()| true).map_err(ServerError::Refused),
        Ok(Err(sqlx::Error::Io(_))) => Ok(false),
        Ok(Err(error)) if has_state(&error, &["57P03"]) => Ok(false),
        Ok(Err(error)) => Err(ServerError::Refused(error)),
        Err(_elapsed) => Ok(false),
    }
}

/// Leaves no Postgres behind that nobody knows of.
async fn abandon(site: &Site, child: &mut Child) {
    if let Err(error) = stop(site).await {
        tracing::warn!(%error, "a Postgres that did not start is left running");
    }
    reap(child).await;
}
