//! A data directory of a test's own, and the private Postgres in it, which outlives a killed `kontor`.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use kontor_testkit::program::send_signal;
use tempfile::TempDir;

/// A data directory. Dropped, it ends the Postgres that runs there and goes.
pub(crate) struct DataDir(TempDir);

impl DataDir {
    pub(crate) fn new() -> Self {
        // As root the server runs as another user, who must be able to enter.
        let open = Permissions::from_mode(0o755);
        Self(tempfile::Builder::new().prefix("kontor-").permissions(open).tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The file by which a running Postgres marks its folder.
    pub(crate) fn postmaster_file(&self) -> PathBuf {
        self.path().join("postgres/cluster/postmaster.pid")
    }

    /// The process id of the private Postgres, if it runs.
    pub(crate) fn postmaster(&self) -> Option<u32> {
        let text = std::fs::read_to_string(self.postmaster_file()).ok()?;
        let pid = text.lines().next()?.trim().parse().ok()?;
        self.is_postgres(pid).then_some(pid)
    }

    fn is_postgres(&self, pid: u32) -> bool {
        let ps = Command::new("ps").args(["-ww", "-o", "command=", "-p", &pid.to_string()]).output().unwrap();
        String::from_utf8_lossy(&ps.stdout).contains(&*self.path().to_string_lossy())
    }

    /// How many lines of the sandbox provider's journal tell of such a call for an order.
    pub(crate) fn journaled(&self, call: &str, order: &str) -> usize {
        journaled(&self.path().join("sandbox-psp.journal"), call, order)
    }
}

/// How many lines of a sandbox provider's journal tell of such a call for an order.
pub(crate) fn journaled(journal: &Path, call: &str, order: &str) -> usize {
    let text = std::fs::read_to_string(journal).unwrap();
    let id = order.strip_prefix("orders/").unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines.filter(|line| line["call"] == call && line["authorization_key"].as_str().unwrap().contains(id)).count()
}

impl Drop for DataDir {
    fn drop(&mut self) {
        let began = Instant::now();
        while let Some(pid) = self.postmaster()
            && began.elapsed() < Duration::from_secs(10)
        {
            // "Immediate shutdown": nobody needs the data any more.
            send_signal(pid, "QUIT");
            std::thread::yield_now();
        }
    }
}
