//! The mutants: patches that each break one rule of the code that ships.

use std::path::{Path, PathBuf};
use std::process::Command;

use kontor_runtime::Error;

/// A patch that breaks one rule: `crates/faults/mutants/<name>.patch`.
#[derive(Clone, Debug)]
pub(crate) struct Mutant {
    name: String,
    patch: PathBuf,
}

impl Mutant {
    pub(crate) fn all() -> Result<Vec<Self>, Error> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mutants");
        let files = std::fs::read_dir(&folder).map_err(|error| format!("cannot read {}: {error}", folder.display()))?;
        let mut mutants = Vec::new();
        for file in files {
            let patch = file?.path();
            if let Some(name) = patch.file_name().and_then(|name| name.to_str()?.strip_suffix(".patch")) {
                mutants.push(Self { name: name.to_owned(), patch });
            }
        }
        mutants.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(mutants)
    }

    pub(crate) fn from_name(name: &str) -> Result<Self, Error> {
        let mutants = Self::all()?;
        let names = mutants.iter().map(Self::name).collect::<Vec<_>>().join(", ");
        mutants.into_iter().find(|mutant| mutant.name == name).ok_or_else(|| format!("one of {names}").into())
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Changes the sources below `root`.
    pub(super) fn apply(&self, root: &Path) -> Result<(), Error> {
        self.git_apply(root, &[])
    }

    fn git_apply(&self, root: &Path, options: &[&str]) -> Result<(), Error> {
        let mut git = Command::new("git");
        git.arg("apply").args(options).arg(&self.patch).current_dir(root).env_remove("GIT_DIR");
        // Inside another repository, git would take the paths of the patch as that repository's.
        if let Some(above) = root.parent() {
            git.env("GIT_CEILING_DIRECTORIES", above);
        }
        let output = git.output().map_err(|error| format!("cannot run git: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!(
            "{} does not apply to the current code: make the same change there, and write it to the file with git diff\n{}",
            self.patch.display(),
            String::from_utf8_lossy(&output.stderr)
        )
        .into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutants::source::workspace;

    #[test]
    fn every_mutant_applies_to_the_current_code() {
        let mutants = Mutant::all().unwrap();
        assert!(!mutants.is_empty());
        for mutant in mutants {
            mutant.git_apply(&workspace(), &["--check"]).unwrap();
        }
    }

    #[test]
    fn a_mutant_that_does_not_apply_is_named() {
        let nothing = tempfile::tempdir().unwrap();
        let error = Mutant::from_name("no-tombstone").unwrap().apply(nothing.path()).unwrap_err().to_string();
        assert!(error.contains("no-tombstone.patch does not apply"), "{error}");
    }

    #[test]
    fn an_unknown_name_is_answered_with_those_there_are() {
        let error = Mutant::from_name("no-such").unwrap_err().to_string();
        assert!(error.contains("no-fencing, no-stock-guard, no-tombstone"), "{error}");
    }
}
