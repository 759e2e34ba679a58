//! Finds the programs of Postgres on this machine.
//!
//! In this order: `PATH`, the folder that `pg_config` names, the places where packages put them
//! (newest version first), and else a download. Debian's `PATH` has `psql` and `pg_config` but
//! not the server, so a folder counts only with all three programs.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::account::Account;
use super::layout::Layout;
use super::{ServerError, ServerOptions, cluster, download};

const NEEDED: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

/// Folders with one folder per version in them, and the path from there to the programs.
const VERSIONED: [(&str, &str, &str); 5] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql", "bin"),
    ("/usr/local/opt", "postgresql", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];
const PLAIN: [&str; 2] = ["/usr/local/pgsql/bin", "/usr/lib/postgresql/bin"];

/// A folder with the programs of Postgres.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binaries {
    dir: PathBuf,
}

impl Binaries {
    /// The folder, if everything needed is in it. Links are followed: what else belongs to the
    /// same Postgres is where they lead.
    pub(super) fn at(dir: &Path) -> Option<Self> {
        let complete = |dir: &Path| NEEDED.iter().all(|name| dir.join(name).is_file());
        let real = dir.join("postgres").canonicalize().ok()?;
        let real = real.parent().filter(|real| complete(real)).map(Path::to_owned);
        let dir = real.or_else(|| complete(dir).then(|| dir.to_owned()))?;
        Some(Self { dir })
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// The first part of the version: what decides whether it can read a cluster.
    fn major(&self) -> Option<String> {
        let output = Command::new(self.program("postgres")).arg("--version").output().ok()?;
        major_in(&String::from_utf8_lossy(&output.stdout))
    }
}

/// Finds Postgres, or downloads it. A cluster that exists asks for its own version.
pub(super) async fn find_or_download(
    layout: &Layout,
    account: &Account,
    options: &ServerOptions,
) -> Result<Binaries, ServerError> {
    let wanted = cluster::major(layout);
    let found = match find(wanted.as_deref()) {
        Some(found) => found,
        None => download::fetch(layout, options, wanted.as_deref()).await?,
    };
    account.ensure_can_enter(&found.dir)?;
    Ok(found)
}

fn find(wanted: Option<&str>) -> Option<Binaries> {
    candidates()
        .filter_map(|dir| Binaries::at(&dir))
        .find(|found| wanted.is_none() || found.major().as_deref() == wanted)
}

fn candidates() -> impl Iterator<Item = PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path: Vec<PathBuf> = std::env::split_paths(&path).collect();
    path.into_iter().chain(config_dir()).chain(usual_places())
}

/// What `pg_config --bindir` says, if there is one.
fn config_dir() -> Option<PathBuf> {
    let Output { stdout, .. } = Command::new("pg_config").arg("--bindir").output().ok()?;
    let dir = String::from_utf8(stdout).ok()?;
    Some(PathBuf::from(dir.trim()))
}

fn usual_places() -> impl Iterator<Item = PathBuf> {
    let versioned = VERSIONED.iter().flat_map(|(parent, prefix, rest)| {
        newest_first(Path::new(parent), prefix).into_iter().map(move |dir| dir.join(rest))
    });
    versioned.chain(PLAIN.iter().map(PathBuf::from))
}

fn newest_first(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(parent) else { return Vec::new() };
    let named = |path: &PathBuf| path.file_name().and_then(OsStr::to_str).is_some_and(|name| name.starts_with(prefix));
    let mut dirs: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(named).collect();
    dirs.sort_by_key(|dir| std::cmp::Reverse(version_in(dir)));
    dirs
}

/// The numbers in a folder's name: `postgresql@16` and `9.6` compare as people read them.
fn version_in(dir: &Path) -> Vec<u32> {
    let name = dir.file_name().and_then(OsStr::to_str).unwrap_or_default();
    name.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
}

/// `postgres (PostgreSQL) 16.4 (Debian ..)` gives `16`; a beta (`18beta1`) gives `18`.
fn major_in(version: &str) -> Option<String> {
    let number = version.split_whitespace().nth(2)?;
    let major: String = number.chars().take_while(char::is_ascii_digit).collect();
    (!major.is_empty()).then_some(major)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Binaries, major_in, newest_first};

    #[test]
    fn the_newest_version_comes_first_by_number() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["postgresql@9", "postgresql@16", "postgresql@14", "other@99"] {
            fs::create_dir(parent.path().join(name)).unwrap();
        }
        let found = newest_first(parent.path(), "postgresql");
        let names: Vec<_> = found.iter().map(|dir| dir.file_name().unwrap()).collect();
        assert_eq!(names, ["postgresql@16", "postgresql@14", "postgresql@9"]);
    }

    #[test]
    fn a_folder_that_lacks_a_program_does_not_count() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["postgres", "initdb"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        assert_eq!(Binaries::at(dir.path()), None);
        fs::write(dir.path().join("pg_ctl"), "").unwrap();
        assert!(Binaries::at(dir.path()).is_some());
    }

    #[test]
    fn the_major_version_is_read_from_releases_and_betas() {
        let read = |text| major_in(text).unwrap_or_default();
        assert_eq!(read("postgres (PostgreSQL) 16.4 (Debian 16.4-1)"), "16");
        assert_eq!(read("postgres (PostgreSQL) 18beta1"), "18");
    }
}
