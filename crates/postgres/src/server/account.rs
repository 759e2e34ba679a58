//! The user that Postgres runs as: we ourselves, unless we are root, which Postgres refuses.

use std::fs::{self, File, Metadata};
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::ServerError;
use super::layout::Layout;

/// Who may run Postgres in root's place, best first.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

/// The user that Postgres runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    name: String,
    uid: u32,
    gid: u32,
    /// Whether we have to become this user, because we are root.
    switch: bool,
}

impl Account {
    /// Chooses who runs the server, and makes sure that this user gets to the data folder.
    pub(super) fn prepare(layout: &Layout) -> Result<Self, ServerError> {
        let account = Self::choose(layout)?;
        if account.switch {
            layout.open_for_passage()?;
        }
        account.ensure_can_enter(&layout.data_dir)?;
        Ok(account)
    }

    /// A cluster that exists belongs to somebody already.
    fn choose(layout: &Layout) -> Result<Self, ServerError> {
        let own = Self::current(&layout.data_dir)?;
        if own.uid != 0 {
            return Ok(own);
        }
        match fs::metadata(&layout.cluster) {
            Ok(meta) if meta.uid() != 0 => Ok(Self::owner(&meta)),
            Ok(_) | Err(_) => Self::unprivileged(),
        }
    }

    /// The user whom `/etc/passwd` offers in root's place.
    pub(crate) fn unprivileged() -> Result<Self, ServerError> {
        let path = Path::new("/etc/passwd");
        let passwd = fs::read_to_string(path).map_err(ServerError::io("read", path))?;
        CANDIDATES.iter().find_map(|name| lookup(&passwd, name)).ok_or(ServerError::NoAccount)
    }

    /// Ourselves: the owner of a file that we make in `dir`.
    pub(crate) fn current(dir: &Path) -> Result<Self, ServerError> {
        let probe = dir.join(format!(".probe-{}", std::process::id()));
        let file = File::create(&probe).map_err(ServerError::io("write in", dir))?;
        let meta = file.metadata().map_err(ServerError::io("read", &probe))?;
        fs::remove_file(&probe).map_err(ServerError::io("remove", &probe))?;
        Ok(Self { switch: false, ..Self::owner(&meta) })
    }

    fn owner(meta: &Metadata) -> Self {
        let (uid, gid) = (meta.uid(), meta.gid());
        Self { name: uid.to_string(), uid, gid, switch: true }
    }

    #[cfg(feature = "testing")]
    pub(crate) fn is_root(&self) -> bool {
        self.uid == 0
    }

    pub(super) fn is_owner(&self, meta: &Metadata) -> bool {
        meta.uid() == self.uid
    }

    /// Makes `command` run as this user. Dropping root drops its further groups as well.
    pub(super) fn apply(&self, command: &mut Command) {
        if self.switch {
            command.uid(self.uid).gid(self.gid);
        }
    }

    /// Gives this user a file or folder.
    pub(super) fn own(&self, path: &Path) -> Result<(), ServerError> {
        if !self.switch {
            return Ok(());
        }
        chown(path, Some(self.uid), Some(self.gid)).map_err(ServerError::io("chown", path))
    }

    /// Makes sure that this user can get to `dir`, an absolute path. Looks at the mode only; what
    /// an access list would allow besides does not count.
    pub(crate) fn ensure_can_enter(&self, dir: &Path) -> Result<(), ServerError> {
        if !self.switch {
            return Ok(());
        }
        let mut outermost_first: Vec<&Path> = dir.ancestors().collect();
        outermost_first.reverse();
        for dir in outermost_first {
            let meta = fs::metadata(dir).map_err(ServerError::io("read", dir))?;
            if !self.may_enter(&meta) {
                return Err(ServerError::NotEnterable { user: self.name.clone(), dir: dir.into() });
            }
        }
        Ok(())
    }

    fn may_enter(&self, meta: &Metadata) -> bool {
        let bit = if meta.uid() == self.uid {
            0o100
        } else if meta.gid() == self.gid {
            0o010
        } else {
            0o001
        };
        meta.mode() & bit != 0
    }
}

fn lookup(passwd: &str, name: &str) -> Option<Account> {
    let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    let uid = fields.next()?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    Some(Account { name: name.to_owned(), uid, gid, switch: true })
}

#[cfg(test)]
mod tests {
    use super::lookup;

    #[test]
    fn a_user_is_found_by_its_whole_name() {
        let passwd = "postgres2:x:7:8::/:\npostgres:x:101:104:admin:/var:/bin/sh\n";
        let account = lookup(passwd, "postgres").unwrap();
        assert_eq!((account.uid, account.gid), (101, 104));
        assert_eq!(lookup(passwd, "nobody"), None);
    }
}
