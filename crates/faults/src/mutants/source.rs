//! A copy of the workspace's sources, for mutants to change.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use kontor_runtime::Error;

/// The folder of the workspace that this program was built from.
pub(super) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(Path::to_owned).unwrap_or_default()
}

/// Makes `copy` hold what `root` holds and git does not ignore. Files that are the same stay untouched, so that cargo builds only what
/// differs from the last build.
pub(super) fn mirror(root: &Path, copy: &Path) -> Result<(), Error> {
    let files = files_of(root)?;
    for file in &files {
        update(&root.join(file), &copy.join(file))?;
    }
    remove_others(copy, copy, &files)?;
    Ok(())
}

fn files_of(root: &Path) -> Result<BTreeSet<PathBuf>, Error> {
    let listing = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").args(listing).current_dir(root).output();
    let output = output.map_err(|error| format!("cannot run git: {error}"))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        return Err(format!("cannot list the files of {}: {why}", root.display()).into());
    }
    let names = String::from_utf8(output.stdout)?;
    // Git also lists what was deleted and not committed yet.
    Ok(names.split_terminator('\0').map(PathBuf::from).filter(|file| root.join(file).is_file()).collect())
}

fn update(from: &Path, to: &Path) -> io::Result<()> {
    let content = std::fs::read(from)?;
    if std::fs::read(to).is_ok_and(|copied| copied == content) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(to, content)
}

/// Removes the files below `folder` that are not among `files`, named from `copy`.
fn remove_others(copy: &Path, folder: &Path, files: &BTreeSet<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            remove_others(copy, &path, files)?;
        } else if !path.strip_prefix(copy).is_ok_and(|name| files.contains(name)) {
            std::fs::remove_file(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(folder: &Path, arguments: &[&str]) {
        assert!(Command::new("git").args(arguments).current_dir(folder).status().unwrap().success());
    }

    fn modified(path: &Path) -> std::time::SystemTime {
        path.metadata().unwrap().modified().unwrap()
    }

    #[test]
    fn a_copy_has_what_the_tree_has_and_only_differences_are_written() {
        let (tree, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (tree, copy) = (tree.path(), copy.path().join("source"));
        git(tree, &["init", "--quiet"]);
        std::fs::create_dir(tree.join("src")).unwrap();
        for (file, text) in [(".gitignore", "/target"), ("src/a.rs", "a"), ("src/b.rs", "b"), ("target", "built")] {
            std::fs::write(tree.join(file), text).unwrap();
        }
        git(tree, &["add", "src/a.rs"]);
        mirror(tree, &copy).unwrap();
        assert_eq!(std::fs::read_to_string(copy.join("src/a.rs")).unwrap(), "a");
        assert!(!copy.join("target").exists(), "what git ignores is not copied");

        let before = modified(&copy.join("src/b.rs"));
        std::fs::remove_file(tree.join("src/a.rs")).unwrap();
        std::fs::write(copy.join(".gitignore"), "changed by a mutant").unwrap();
        std::fs::write(copy.join("src/c.rs"), "added by a mutant").unwrap();
        mirror(tree, &copy).unwrap();
        assert_eq!(std::fs::read_to_string(copy.join(".gitignore")).unwrap(), "/target");
        assert_eq!([copy.join("src/a.rs").exists(), copy.join("src/c.rs").exists()], [false, false]);
        assert_eq!(modified(&copy.join("src/b.rs")), before, "what is the same is left alone");
    }
}
