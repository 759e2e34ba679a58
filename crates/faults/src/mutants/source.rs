//! A copy of the workspace's sources, for mutants to change.

use std::path::{Path, PathBuf};
use std::process::Command;

use kontor_runtime::Error;

/// The folder of the workspace that this program was built from.
pub(super) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).map(Path::to_owned).unwrap_or_default()
}

/// Makes `copy` hold what `root` holds and git does not ignore, committed or not. Files that are the same stay untouched, so that cargo
/// builds only what differs from the last build.
pub(super) fn mirror(root: &Path, copy: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(copy)?;
    // Indexes of their own: that of the person who runs this stays as it is.
    let (all, copied) = (copy.with_extension("all-index"), copy.with_extension("index"));
    git(root, root, &all, &["add", "--all"])?;
    let tree = git(root, root, &all, &["write-tree"])?;
    git(root, copy, &copied, &["read-tree", "--reset", "-u", tree.trim()])?;
    Ok(())
}

fn git(root: &Path, work_tree: &Path, index: &Path, arguments: &[&str]) -> Result<String, Error> {
    let mut git = Command::new("git");
    git.current_dir(root).env("GIT_DIR", root.join(".git")).env("GIT_WORK_TREE", work_tree);
    let output = git.env("GIT_INDEX_FILE", index).args(arguments).output();
    let output = output.map_err(|error| format!("cannot run git: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout)?),
        false => Err(format!("git {arguments:?} failed: {}", String::from_utf8_lossy(&output.stderr)).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_what_the_tree_has_and_only_differences_are_written() {
        let (tree, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (tree, copy) = (tree.path(), copy.path().join("source"));
        assert!(Command::new("git").args(["init", "--quiet"]).current_dir(tree).status().unwrap().success());
        for (file, text) in [(".gitignore", "/target"), ("a.rs", "a"), ("b.rs", "b"), ("target", "built")] {
            std::fs::write(tree.join(file), text).unwrap();
        }
        mirror(tree, &copy).unwrap();
        assert!(copy.join("a.rs").exists() && !copy.join("target").exists(), "what git ignores is not copied");

        let modified = || copy.join("b.rs").metadata().unwrap().modified().unwrap();
        let before = modified();
        std::fs::remove_file(tree.join("a.rs")).unwrap();
        std::fs::write(copy.join(".gitignore"), "changed by a mutant").unwrap();
        mirror(tree, &copy).unwrap();
        assert_eq!(std::fs::read_to_string(copy.join(".gitignore")).unwrap(), "/target");
        assert_eq!((copy.join("a.rs").exists(), modified()), (false, before), "what is the same is left alone");
    }
}
