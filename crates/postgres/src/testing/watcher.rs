//! The small program that ends the run's Postgres when nobody uses it any more.
//!
//! It must outlive the process that started it, so it is a shell script of its own, in a process
//! group of its own.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::server::{Server, ServerError};

const SCRIPT: &str = include_str!("watch.sh");

/// Starts the watcher of this server.
pub(super) fn spawn(server: &Server) -> Result<(), ServerError> {
    let site = server.site();
    let password =
        std::fs::read_to_string(&site.layout.password).map_err(ServerError::io("read", &site.layout.password))?;
    let sh = Path::new("sh");
    Command::new(sh)
        .args(["-c", SCRIPT, "kontor-test-postgres-watcher"])
        .arg(psql(server)?)
        .arg(&site.layout.data_dir)
        .arg(&site.layout.socket_dir)
        .arg(server.pid().to_string())
        .env("PGPASSWORD", password.trim())
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(ServerError::io("run", sh))?;
    Ok(())
}

/// The server's own `psql`, or the one on the `PATH`.
fn psql(server: &Server) -> Result<PathBuf, ServerError> {
    let own = server.site().binaries.program("psql");
    let psql = if own.is_file() { own } else { PathBuf::from("psql") };
    let asked = Command::new(&psql).arg("--version").output();
    asked.map_err(ServerError::io("run", &psql))?;
    Ok(psql)
}
