//! Where a run keeps its database, its journal and its logs.

use std::fs::{DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use kontor_runtime::Error;

pub(crate) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Makes a new one, at a place or among the temporary folders. Postgres, which may run as another user, must be able to enter it.
    pub(crate) fn make(place: Option<&Path>, name: &str) -> Result<Self, Error> {
        let path = match place {
            Some(place) => std::path::absolute(place)?.join(name),
            None => std::env::temp_dir().join(format!("kontor-faults-{:08x}", rand::random::<u32>())).join(name),
        };
        if path.exists() {
            return Err(format!("{} is there already; choose another folder with --dir", path.display()).into());
        }
        DirBuilder::new().recursive(true).mode(0o755).create(path.join("logs"))?;
        for folder in path.ancestors().take(2) {
            std::fs::set_permissions(folder, Permissions::from_mode(0o755))?;
        }
        Ok(Self { path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn postgres(&self) -> PathBuf {
        self.path.join("postgres")
    }

    /// Where the payment provider writes its decisions down.
    pub(crate) fn journal(&self) -> PathBuf {
        self.path.join("journal")
    }

    /// The log of a process, through all its lives.
    pub(crate) fn log(&self, process: &str) -> PathBuf {
        self.path.join("logs").join(format!("{process}.log"))
    }

    /// Removes it, and the folder around it if nothing else is in there.
    pub(crate) fn remove(self) {
        // Best effort: what stays is in nobody's way.
        let _ = std::fs::remove_dir_all(&self.path);
        if let Some(around) = self.path.parent() {
            let _ = std::fs::remove_dir(around);
        }
    }
}
