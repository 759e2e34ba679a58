//! Where things are in the data folder.
//!
//! ```text
//! <data_dir>/lock             held by the process that owns the server
//! <data_dir>/admin-password   of the role postgres, readable by its user only
//! <data_dir>/cluster/         Postgres's own data directory
//! <data_dir>/run/             the socket, or in the system's temporary folder if the path is long
//! <data_dir>/postgres.log     what Postgres and initdb say
//! ```

use std::fs::{self, DirBuilder, File, TryLockError};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::ServerError;
use super::account::Account;
use super::settings::PORT;

/// `sun_path` holds 108 bytes on Linux and 104 on macOS, with the closing zero.
const SOCKET_PATH_MAX: usize = 103;

/// Paths in the data folder, all absolute.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) data_dir: PathBuf,
    pub(crate) cluster: PathBuf,
    pub(crate) password: PathBuf,
    pub(crate) log: PathBuf,
    pub(crate) socket_dir: PathBuf,
}

impl Layout {
    pub(super) fn prepare(data_dir: &Path) -> Result<Self, ServerError> {
        DirBuilder::new().recursive(true).mode(0o711).create(data_dir).map_err(ServerError::io("create", data_dir))?;
        let data_dir = data_dir.canonicalize().map_err(ServerError::io("resolve", data_dir))?;
        Ok(Self {
            cluster: data_dir.join("cluster"),
            password: data_dir.join("admin-password"),
            log: data_dir.join("postgres.log"),
            socket_dir: socket_dir(&data_dir),
            data_dir,
        })
    }

    /// Takes the data folder for this process.
    pub(super) fn lock(&self) -> Result<File, ServerError> {
        let path = self.data_dir.join("lock");
        let file = File::create(&path).map_err(ServerError::io("create", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(ServerError::InUse(self.data_dir.clone())),
            Err(TryLockError::Error(source)) => Err(ServerError::io("lock", &path)(source)),
        }
    }

    /// Makes the socket's folder anew, which nobody but the server's user may enter. What a killed
    /// server left in it names a process id that may by now be a stranger's.
    ///
    /// One in the temporary folder could have been put there by somebody else: it must be a real
    /// folder (no link), owned by the server's user, and closed.
    pub(super) fn prepare_socket_dir(&self, account: &Account) -> Result<(), ServerError> {
        self.remove_socket_dir();
        let dir = &self.socket_dir;
        if DirBuilder::new().mode(0o700).create(dir).is_ok() {
            account.own(dir)?;
        }
        let meta = fs::symlink_metadata(dir).map_err(ServerError::io("create", dir))?;
        let ours = meta.is_dir() && account.is_owner(&meta) && meta.mode() & 0o077 == 0;
        if ours {
            return Ok(());
        }
        Err(ServerError::io("use", dir)(std::io::ErrorKind::PermissionDenied.into()))
    }

    /// Leaves nothing behind in the temporary folder.
    pub(super) fn remove_socket_dir(&self) {
        // Best effort: what cannot be removed is checked, or in nobody's way.
        let _ = fs::remove_dir_all(&self.socket_dir);
    }

    /// Lets the server's user pass through the data folder, which is ours.
    pub(super) fn open_for_passage(&self) -> Result<(), ServerError> {
        let dir = &self.data_dir;
        let meta = fs::metadata(dir).map_err(ServerError::io("read", dir))?;
        let mode = fs::Permissions::from_mode(meta.mode() & 0o777 | 0o011);
        fs::set_permissions(dir, mode).map_err(ServerError::io("open", dir))
    }
}

fn socket_dir(data_dir: &Path) -> PathBuf {
    let near = data_dir.join("run");
    let socket = near.join(format!(".s.PGSQL.{PORT}"));
    if socket.as_os_str().len() <= SOCKET_PATH_MAX {
        return near;
    }
    let mut hasher = DefaultHasher::new();
    data_dir.as_os_str().as_bytes().hash(&mut hasher);
    std::env::temp_dir().join(format!("kontor-pg-{:016x}", hasher.finish()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{SOCKET_PATH_MAX, socket_dir};

    #[test]
    fn a_socket_that_would_be_too_long_moves_to_the_temporary_folder() {
        let long = format!("/data/{}", "d".repeat(SOCKET_PATH_MAX));
        assert_eq!(socket_dir(Path::new("/data/a")), Path::new("/data/a/run"));
        assert!(socket_dir(Path::new(&long)).starts_with(std::env::temp_dir()));
        assert_ne!(socket_dir(Path::new(&long)), socket_dir(Path::new(&format!("{long}e"))));
    }
}
