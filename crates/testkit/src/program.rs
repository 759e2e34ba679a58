//! Programs as processes of their own, for tests that kill them, freeze them or read what they say.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How often a process is looked at by those who wait for it.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A running program. Dropped, it is killed and waited for.
pub struct Program {
    child: Child,
    said: Lines,
    complained: Lines,
}

/// The program of the workspace with this name, beside the running test's own folder.
///
/// Cargo builds a package's programs for its own tests only, so that another package's may be missing.
pub fn path_of(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a path of the running program");
    let folder = test.ancestors().nth(2).expect("target/<profile>/deps/<test>");
    let path = folder.join(name);
    assert!(path.is_file(), "there is no {}: run `cargo build --workspace --bins` first", path.display());
    path
}

/// A command for a program, without the settings that this process happens to have in its environment.
pub fn command(path: impl Into<PathBuf>) -> Command {
    let mut command = Command::new(path.into());
    for (name, _) in std::env::vars_os() {
        let name_bytes = name.as_encoded_bytes();
        if name_bytes.starts_with(b"KONTOR_") || name_bytes.starts_with(b"OTEL_") || name == "RUST_LOG" {
            command.env_remove(&name);
        }
    }
    command
}

impl Program {
    pub fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let said = Lines::read(child.stdout.take().expect("a pipe"));
        let complained = Lines::read(child.stderr.take().expect("a pipe"));
        Self { child, said, complained }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All that it wrote to standard output so far.
    pub fn said(&self) -> String {
        self.said.text()
    }

    /// All that it wrote to standard error so far: its log.
    pub fn complained(&self) -> String {
        self.complained.text()
    }

    /// Sends it a signal, by name: `INT`, `TERM`, `STOP`.
    pub fn signal(&self, name: &str) {
        assert!(send_signal(self.pid(), name), "the program is gone:\n{}", self.complained());
    }

    /// Ends it by SIGKILL and waits until it is gone.
    pub fn kill(&mut self) {
        // Fails only if it has ended already.
        let _ = self.child.kill();
        self.child.wait().expect("a child to wait for");
    }

    pub fn runs(&mut self) -> bool {
        self.child.try_wait().expect("a child to ask for").is_none()
    }

    /// Waits for a line on standard output that contains the text.
    pub async fn says(&mut self, text: &str, limit: Duration) {
        let began = Instant::now();
        while !self.said.text().contains(text) {
            assert!(self.runs(), "it ended without saying {text:?}:\n{}\n{}", self.said(), self.complained());
            assert!(began.elapsed() < limit, "no {text:?} in time:\n{}\n{}", self.said(), self.complained());
            sleep(LOOK_EVERY).await;
        }
    }

    /// Waits for its end by itself, and for the last of what it wrote.
    pub async fn ends(&mut self, limit: Duration) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child to ask for") {
                self.said.finish();
                self.complained.finish();
                return status;
            }
            assert!(began.elapsed() < limit, "it did not end in time:\n{}\n{}", self.said(), self.complained());
            sleep(LOOK_EVERY).await;
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
        // Not to its end: what it started may hold the pipe open.
        crate::secrets::look_through(&self.complained());
    }
}

/// Sends a signal to any process; false if there is none.
pub fn send_signal(pid: u32, name: &str) -> bool {
    let kill = Command::new("kill").args(["-s", name, &pid.to_string()]).stderr(Stdio::null()).status();
    kill.expect("the command kill").success()
}

/// The lines that come through a pipe, kept by a thread that reads to its end.
struct Lines {
    kept: Arc<Mutex<String>>,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Lines {
    fn read(pipe: impl Read + Send + 'static) -> Self {
        let kept = Arc::<Mutex<String>>::default();
        let keep = kept.clone();
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                *keep.lock().expect("no panic while it was held") += &(line + "\n");
            }
        });
        Self { kept, reader: Some(reader) }
    }

    fn text(&self) -> String {
        self.kept.lock().expect("no panic while it was held").clone()
    }

    fn finish(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader only reads");
        }
    }
}
