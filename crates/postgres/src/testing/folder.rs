//! Where the run's Postgres lives: `kontor-test-postgres` below the target folder.

use std::fs::{self, DirBuilder};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::server::{Account, ServerError};

const NAME: &str = "kontor-test-postgres";

/// Finds and makes the folder.
///
/// The target folder of root may lie where the unprivileged user that runs Postgres cannot go;
/// then a folder in the system's temporary folder stands in for it.
pub(super) fn prepare() -> Result<PathBuf, ServerError> {
    let profile = profile_dir()?;
    let own = Account::current(&profile)?;
    if !own.is_root() || Account::unprivileged()?.ensure_can_enter(&profile).is_ok() {
        return make(&profile.join(NAME));
    }
    let mut hasher = DefaultHasher::new();
    profile.hash(&mut hasher);
    let dir = make(&std::env::temp_dir().join(format!("{NAME}-{:016x}", hasher.finish())))?;
    let meta = fs::symlink_metadata(&dir).map_err(ServerError::io("read", &dir))?;
    if meta.is_dir() && meta.uid() == 0 {
        return Ok(dir);
    }
    Err(ServerError::io("use", &dir)(std::io::ErrorKind::PermissionDenied.into()))
}

/// `target/<profile>` for a test program in `target/<profile>/deps`.
fn profile_dir() -> Result<PathBuf, ServerError> {
    let program = std::env::current_exe()
        .and_then(|path| path.canonicalize())
        .map_err(ServerError::io("find", Path::new("the running program")))?;
    let dir = program.parent().unwrap_or(Path::new("/"));
    let profile = dir.parent().filter(|_| dir.ends_with("deps")).unwrap_or(dir);
    Ok(profile.to_owned())
}

fn make(dir: &Path) -> Result<PathBuf, ServerError> {
    DirBuilder::new().recursive(true).mode(0o711).create(dir).map_err(ServerError::io("create", dir))?;
    Ok(dir.to_owned())
}
