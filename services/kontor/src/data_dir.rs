//! The data directory: where everything lies that is kept between runs.

use std::env;
use std::fs::{DirBuilder, File, Permissions, TryLockError};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use kontor_runtime::Error;

/// Where data is kept, unless the caller says otherwise.
pub(crate) fn data_dir(given: Option<&Path>) -> Result<PathBuf, Error> {
    if let Some(path) = given {
        return Ok(std::path::absolute(path)?);
    }
    if is_root() {
        return Ok(PathBuf::from("/var/lib/kontor"));
    }
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_DATA_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/share")));
    let base = base.ok_or("there is no home directory to keep data in; say where, with --data-dir")?;
    Ok(base.join("kontor"))
}

/// The data directory, which is this process's alone as long as it has this.
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    /// The system lets go of it when the process ends, however it ends.
    _lock: File,
}

/// Makes the data directory if it is missing, and takes it for this process. Postgres, which may run as another user, must be able
/// to enter it; what is secret in it is closed file by file.
pub(crate) fn prepare(given: Option<&Path>) -> Result<Place, Error> {
    let path = data_dir(given)?;
    let explain = |error| format!("{} can't be used: {error}; choose another with --data-dir", path.display());
    if !path.exists() {
        DirBuilder::new().recursive(true).mode(0o755).create(&path).map_err(explain)?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o755)).map_err(explain)?;
    }
    let lock = File::create(path.join("lock")).map_err(explain)?;
    match lock.try_lock() {
        Ok(()) => Ok(Place { path, _lock: lock }),
        Err(TryLockError::WouldBlock) => {
            Err(format!("{} is in use by another process; choose another with --data-dir", path.display()).into())
        }
        Err(TryLockError::Error(error)) => Err(explain(error).into()),
    }
}

/// Whether this process may do anything: its own entry in /proc, or its home, belongs to root.
fn is_root() -> bool {
    std::fs::metadata("/proc/self")
        .map(|meta| meta.uid() == 0)
        .unwrap_or_else(|_| env::var("USER").as_deref() == Ok("root"))
}
