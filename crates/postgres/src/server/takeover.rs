//! What an earlier owner of the data folder left behind.
//!
//! Killed with -9 it leaves its Postgres running: that one is stopped, and a new one started, so
//! that the settings are ours and somebody waits for it. Killed together with its Postgres it
//! leaves `postmaster.pid`, whose number may by now be anybody's.

use std::fs;
use std::path::Path;

use super::site::Site;
use super::{ServerError, process};

/// How the last Postgres of this data folder ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LastEnd {
    /// Stopped, by itself or by us, or there never was one.
    Stopped,
    /// Killed: it has to recover, and its sessions may live a moment longer than it did.
    Killed,
}

/// Stops a Postgres that still runs on this data folder.
pub(super) async fn stop_previous(site: &Site) -> Result<LastEnd, ServerError> {
    let cluster = &site.layout.cluster;
    let Some(pid) = recorded_pid(cluster) else { return Ok(LastEnd::Stopped) };
    if is_postgres_of(pid, cluster) {
        tracing::info!(pid, "stopping the Postgres that an earlier process left running");
        process::stop(site).await?;
        return Ok(LastEnd::Stopped);
    }
    if is_alive(pid) {
        // Postgres would take the stranger, or the dead process that nobody has reaped, for an
        // older self and refuse to start.
        let path = cluster.join("postmaster.pid");
        fs::remove_file(&path).map_err(ServerError::io("remove", &path))?;
    }
    Ok(LastEnd::Killed)
}

/// The process that runs on this cluster now.
pub(crate) fn running(cluster: &Path) -> Option<u32> {
    recorded_pid(cluster).filter(|pid| is_postgres_of(*pid, cluster))
}

/// The first line of `postmaster.pid`.
fn recorded_pid(cluster: &Path) -> Option<u32> {
    let text = fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
    text.lines().next()?.trim().parse().ok()
}

/// Whether the process is a Postgres of this cluster: one works in its data directory.
fn is_postgres_of(pid: u32, cluster: &Path) -> bool {
    if has_proc() {
        let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        let works_in = fs::read_link(format!("/proc/{pid}/cwd")).ok();
        return name.starts_with("postgres") && works_in.as_deref() == Some(cluster);
    }
    // We start it with the cluster's whole path as an argument.
    command_line(pid).is_some_and(|line| line.contains("postgres") && line.contains(&cluster.display().to_string()))
}

fn is_alive(pid: u32) -> bool {
    if has_proc() {
        return Path::new(&format!("/proc/{pid}")).exists();
    }
    command_line(pid).is_some()
}

/// Linux has it, macOS does not.
fn has_proc() -> bool {
    Path::new("/proc/self").exists()
}

fn command_line(pid: u32) -> Option<String> {
    let ps = ["-ww", "-o", "command=", "-p"];
    let output = std::process::Command::new("ps").args(ps).arg(pid.to_string()).output().ok()?;
    let line = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{recorded_pid, running};

    #[test]
    fn a_reused_process_id_is_not_taken_for_postgres() {
        let cluster = tempfile::tempdir().unwrap();
        let own = std::process::id();
        fs::write(cluster.path().join("postmaster.pid"), format!("{own}\n/x\n")).unwrap();
        assert_eq!(recorded_pid(cluster.path()), Some(own));
        assert_eq!(running(cluster.path()), None);
    }
}
