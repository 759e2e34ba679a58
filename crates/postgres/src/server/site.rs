//! Everything that stays the same between starting and stopping: files, user, programs.

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, Stdio};

use super::ServerError;
use super::account::Account;
use super::binaries::Binaries;
use super::layout::Layout;

/// Everything that stays the same between starting and stopping.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) layout: Layout,
    pub(crate) account: Account,
    pub(crate) binaries: Binaries,
}

impl Site {
    /// A command of Postgres, run as its user, that says what it says in the log.
    ///
    /// `PG*` variables of our own surroundings would change what it does; the locale `C` keeps
    /// macOS from starting threads in it.
    pub(super) fn command(&self, program: &str) -> Result<Command, ServerError> {
        let log = self.open_log()?;
        let copy = log.try_clone().map_err(ServerError::io("open", &self.layout.log))?;
        let mut command = Command::new(self.binaries.program(program));
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"PG") {
                command.env_remove(name);
            }
        }
        command.env("LC_ALL", "C").current_dir(&self.layout.data_dir);
        command.stdin(Stdio::null()).stdout(log).stderr(copy);
        self.account.apply(&mut command);
        Ok(command)
    }

    fn open_log(&self) -> Result<File, ServerError> {
        let path = &self.layout.log;
        let mut options = File::options();
        options.create(true).append(true).mode(0o600);
        options.open(path).map_err(ServerError::io("open", path))
    }
}
