//! A mail server: aiosmtpd, from PyPI. What it needs is installed once, below the target folder.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::{Program, free_addr};

/// Generous: machines that run tests are busy.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// The user that a server with `--login` lets in, with the password, as they stand in a URL.
pub const LOGIN: &str = "shop:p%3Aa%20ss";

/// A running mail server. It ends with this.
pub struct Smtp {
    program: Program,
    folder: TempDir,
    /// Where it listens.
    pub addr: SocketAddr,
}

/// A mail that the server took.
#[derive(Debug)]
pub struct TakenMail {
    /// As the envelope names the sender.
    pub sender: String,
    /// As the envelope names the recipients.
    pub recipients: Vec<String>,
    /// Lines of the header, with continued ones joined.
    pub headers: Vec<String>,
    /// The text, decoded.
    pub text: String,
    /// Whether it came through TLS.
    pub is_encrypted: bool,
    /// Whether the sender had logged in.
    pub is_authenticated: bool,
}

impl Smtp {
    /// Starts one on a free port. The arguments are those of `smtp/server.py`.
    pub async fn start(args: &[&str]) -> Self {
        Self::start_at(free_addr(), args).await
    }

    /// Starts one at an address.
    pub async fn start_at(addr: SocketAddr, args: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(&*PYTHON);
        command.arg("-B").arg(files().join("server.py")).arg(addr.port().to_string()).arg(folder.path()).args(args);
        let mut program = Program::start(&mut command);
        program.says("listening", WAIT_MAX).await;
        Self { program, folder, addr }
    }

    /// The certificate of the authority that it is trusted by, with `--starttls`.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The mails that it took so far.
    pub fn taken(&self) -> Vec<TakenMail> {
        self.told("message").iter().map(TakenMail::new).collect()
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.told("connected").len().saturating_sub(1)
    }

    /// How many mails it did not take.
    pub fn refusals(&self) -> usize {
        self.told("answered").len()
    }

    /// Waits until it has taken so many mails.
    pub async fn takes(&self, count: usize) -> Vec<TakenMail> {
        self.until("mails", count, || self.taken().len()).await;
        self.taken()
    }

    /// Waits until it has refused so many mails.
    pub async fn refuses(&self, count: usize) {
        self.until("refusals", count, || self.refusals()).await;
    }

    /// Waits until there were so many connections.
    pub async fn is_called(&self, count: usize) {
        self.until("connections", count, || self.connections()).await;
    }

    async fn until(&self, what: &str, count: usize, found: impl Fn() -> usize) {
        let began = Instant::now();
        while found() < count {
            let all = || format!("{}\n{}", self.program.said(), self.program.complained());
            assert!(began.elapsed() < WAIT_MAX, "{} {what}, not {count}:\n{}", found(), all());
            sleep(Duration::from_millis(20)).await;
        }
    }

    fn told(&self, member: &str) -> Vec<Value> {
        let said = self.program.said();
        let lines = said.lines().map(|line| serde_json::from_str(line).expect("a line of JSON"));
        lines.filter(|line: &Value| line.get(member).is_some()).collect()
    }
}

impl TakenMail {
    fn new(told: &Value) -> Self {
        let text = |member: &str| told[member].as_str().unwrap_or_default().to_owned();
        let message = text("message").replace("\r\n", "\n");
        let (head, body) = message.split_once("\n\n").expect("an empty line after the header");
        let headers: Vec<_> = head.replace("\n ", " ").lines().map(str::to_owned).collect();
        let recipients = told["recipients"].as_array().expect("recipients").iter();
        Self {
            sender: text("sender"),
            recipients: recipients.filter_map(Value::as_str).map(str::to_owned).collect(),
            text: decoded(&headers, body),
            headers,
            is_encrypted: told["encrypted"] == true,
            is_authenticated: told["authenticated"] == true,
        }
    }

    /// The value of a header that must be there once.
    pub fn header(&self, name: &str) -> &str {
        let prefix = format!("{name}: ");
        let mut found = self.headers.iter().filter_map(|line| line.strip_prefix(&prefix));
        let value = found.next().unwrap_or_else(|| panic!("no {name} in {:?}", self.headers));
        assert!(found.next().is_none(), "{name} twice in {:?}", self.headers);
        value
    }
}

/// Only what the letters need: lines that are continued by "=".
fn decoded(headers: &[String], body: &str) -> String {
    match headers.iter().any(|line| line == "Content-Transfer-Encoding: quoted-printable") {
        true => body.replace("=\n", "").replace("=3D", "="),
        false => body.to_owned(),
    }
}

/// The interpreter that knows the packages.
static PYTHON: LazyLock<PathBuf> = LazyLock::new(|| {
    let test = std::env::current_exe().expect("a path of the running program");
    let folder = test.ancestors().nth(2).expect("target/<profile>/deps/<test>").join("kontor-test-smtp");
    fs::create_dir_all(&folder).expect("a folder below the target folder");
    // Several test programs may run at once.
    let lock = File::create(folder.join("lock")).expect("a file to lock");
    lock.lock().expect("a lock");
    install(&folder);
    folder.join("bin/python")
});

fn install(folder: &Path) {
    let wanted = files().join("requirements.txt");
    let (text, stamp) = (fs::read_to_string(&wanted).expect("the list of packages"), folder.join("installed"));
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == text) {
        return;
    }
    run(Command::new("python3").arg("-m").arg("venv").arg(folder));
    run(Command::new(folder.join("bin/pip")).args(["--disable-pip-version-check", "install", "-r"]).arg(&wanted));
    fs::write(stamp, text).expect("a file below the target folder");
}

fn run(command: &mut Command) {
    let output = command.output();
    if output.as_ref().is_ok_and(|output| output.status.success()) {
        return;
    }
    panic!(
        "the mail server that tests send to could not be installed from PyPI: python3 with venv is wanted (on Debian: \
         apt-get install python3-venv), and the network, once.\n{command:?}: {output:?}"
    );
}

fn files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("smtp")
}
