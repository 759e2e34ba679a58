//! `kontor up` as a process, and what its banner tells.

use std::process::{Command, ExitStatus};
use std::time::Duration;

use kontor_testkit::{Program, program};

use crate::data_dir::DataDir;
use crate::shop::Shop;

/// Generous: machines that run tests are busy, and a first start makes a cluster.
const START_MAX: Duration = Duration::from_secs(90);
/// What a stop may take when nothing is under way.
const STOP_MAX: Duration = Duration::from_secs(20);

/// A `kontor up` that is ready.
pub(crate) struct Launcher {
    pub(crate) program: Program,
}

/// `kontor`, with nothing of our own environment.
pub(crate) fn kontor() -> Command {
    program::command(env!("CARGO_BIN_EXE_kontor"))
}

/// `kontor`, which is `kontor up`, on a data directory and free ports. Told by the environment, so that flags may say otherwise.
pub(crate) fn up(dir: &DataDir) -> Command {
    let mut command = kontor();
    command.env("KONTOR_DATA_DIR", dir.path());
    for service in ["EDGE", "AUTH", "CATALOG", "ORDER", "PSP"] {
        command.env(format!("KONTOR_{service}_ADDR"), "127.0.0.1:0");
    }
    command
}

impl Launcher {
    pub(crate) async fn start(command: &mut Command) -> Self {
        let mut program = Program::start(command);
        program.says("Ctrl-C stops everything", START_MAX).await;
        Self { program }
    }

    pub(crate) fn shop(&self) -> Shop {
        Shop::at(self.shown("HTTP/JSON"))
    }

    /// What the banner shows beside a name, up to the first blank.
    pub(crate) fn shown(&self, name: &str) -> String {
        let said = self.program.said();
        let rest = said.lines().find_map(|line| line.trim_start().strip_prefix(name));
        let rest = rest.unwrap_or_else(|| panic!("no {name} in the banner:\n{said}"));
        rest.split_whitespace().next().unwrap().to_owned()
    }

    /// The administrator's password, which the first start shows.
    pub(crate) fn password(&self) -> String {
        let said = self.program.said();
        let line = said.lines().find(|line| line.trim_start().starts_with("administrator"));
        let (_, password) = line.unwrap().split_once("password: ").unwrap();
        password.to_owned()
    }

    /// Asks it to stop, and waits for its end.
    pub(crate) async fn stop(&mut self, signal: &str) -> ExitStatus {
        self.program.signal(signal);
        self.program.ends(STOP_MAX).await
    }
}
