//! Builds the fault test's program with a mutant in it.

use std::path::{Path, PathBuf};
use std::time::Instant;

use kontor_runtime::Error;
use tokio::process::Command;

use super::patch::Mutant;
use super::source::{mirror, workspace};
use crate::run::stopped_by_hand;
use crate::say;

/// Builds the program with this mutant, in the profile of the running one. All mutants share one copy of the sources and one
/// target folder, so that each builds only what it changes.
pub(super) async fn build(mutant: &Mutant) -> Result<PathBuf, Error> {
    let folder = target_folder()?.join("mutants");
    let (source, target, began) = (folder.join("source"), folder.join("target"), Instant::now());
    say(format_args!("building {} in {}", mutant.name(), source.display()));
    mirror(&workspace(), &source)?;
    mutant.apply(&source)?;
    let built = tokio::select! {
        status = cargo_build(&source, &target).status() => status.map_err(|error| format!("cannot run cargo: {error}"))?,
        () = stopped_by_hand() => return Err("stopped by hand".into()),
    };
    if !built.success() {
        let name = mutant.name();
        return Err(format!("{name} does not build: correct crates/faults/mutants/{name}.patch").into());
    }
    say(format_args!("built {} in {} s", mutant.name(), began.elapsed().as_secs()));
    Ok(target.join(if cfg!(debug_assertions) { "debug" } else { "release" }).join("kontor-faults"))
}

fn cargo_build(source: &Path, target: &Path) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--locked", "--package", "kontor-faults", "--features", "faults", "--bin", "kontor-faults"]);
    cargo.arg("--target-dir").arg(target).current_dir(source).kill_on_drop(true);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    cargo
}

/// The target folder that the running program lies in: `<target>/<profile>/<program>`.
fn target_folder() -> Result<PathBuf, Error> {
    let program = std::env::current_exe()?;
    let target = program.ancestors().nth(2).ok_or("the program does not lie in a target folder")?;
    Ok(target.to_owned())
}
