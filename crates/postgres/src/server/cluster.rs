//! The cluster on disk: made once, whole or not at all.

use std::fs::{self, DirBuilder, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use url::Url;

use super::ServerError;
use super::layout::Layout;
use super::settings::PORT;
use super::site::Site;
use crate::bootstrap::with_login;
use crate::quote::url_part;
use crate::secret_url::SecretUrl;

const ADMIN: &str = "postgres";

/// Which characters are letters, and their case: the first locale that the machine has. Sorting
/// is by bytes in any case, as on the other databases the SQL must run on.
const CTYPES: [&str; 3] = ["C.UTF-8", "en_US.UTF-8", "C"];

/// Makes the cluster unless there is one. An earlier attempt that was cut short is thrown away.
pub(super) async fn ensure(site: &Site, durable: bool) -> Result<(), ServerError> {
    sweep(&site.layout.data_dir);
    let cluster = &site.layout.cluster;
    if cluster.exists() {
        return Ok(());
    }
    // A name of its own: the initdb of a process that was killed goes on for a while, and writes into its own one.
    let unfinished = site.layout.data_dir.join(format!("cluster.new-{:08x}", rand::random::<u32>()));
    write_password(site)?;
    for ctype in CTYPES {
        if initdb(site, &unfinished, ctype, durable).await? {
            return fs::rename(&unfinished, cluster).map_err(ServerError::io("rename", &unfinished));
        }
    }
    Err(ServerError::Initdb(site.layout.log.clone()))
}

/// The major version that an existing cluster was made by.
pub(super) fn major(layout: &Layout) -> Option<String> {
    let version = fs::read_to_string(layout.cluster.join("PG_VERSION")).ok()?;
    Some(version.trim().to_owned())
}

/// The administrator's URL, over the socket.
pub(super) fn admin_url(site: &Site) -> Result<SecretUrl, ServerError> {
    let path = &site.layout.password;
    let password = fs::read_to_string(path).map_err(ServerError::io("read", path))?;
    let socket = url_part(&site.layout.socket_dir.to_string_lossy());
    // The socket is private already; asking it for TLS would cost a round trip.
    let url = format!("postgres://localhost/postgres?host={socket}&port={PORT}&sslmode=disable");
    Url::parse(&url)
        .and_then(|url| Url::parse(&with_login(url, ADMIN, password.trim())))
        .map(SecretUrl)
        .map_err(|_| ServerError::io("use", &site.layout.socket_dir)(ErrorKind::InvalidInput.into()))
}

/// Runs initdb in an empty folder; `false` when it refuses, with the reason in the log.
async fn initdb(site: &Site, dir: &Path, ctype: &str, durable: bool) -> Result<bool, ServerError> {
    remove_if_there(dir)?;
    DirBuilder::new().mode(0o700).create(dir).map_err(ServerError::io("create", dir))?;
    site.account.own(dir)?;
    let mut command = site.command("initdb")?;
    command.arg("--pgdata").arg(dir).arg("--pwfile").arg(&site.layout.password);
    command.args(["--username", ADMIN, "--auth", "scram-sha-256", "--encoding", "UTF8"]);
    command.args(["--locale=C", &format!("--lc-ctype={ctype}"), "--no-instructions"]);
    if !durable {
        command.arg("--no-sync");
    }
    let status = tokio::process::Command::from(command).status().await;
    Ok(status.map_err(ServerError::io("run", &site.binaries.program("initdb")))?.success())
}

/// A password of 192 random bits, in a file that only the server's user (and root) can read.
fn write_password(site: &Site) -> Result<(), ServerError> {
    let path = &site.layout.password;
    let secret: String = rand::random::<[u8; 24]>().iter().map(|b| format!("{b:02x}")).collect();
    remove_if_there(path)?;
    let mut options = File::options();
    options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(path).map_err(ServerError::io("create", path))?;
    writeln!(file, "{secret}").and_then(|()| file.sync_all()).map_err(ServerError::io("write", path))?;
    site.account.own(path)
}

/// Removes what attempts that were cut short have left. Best effort: where an initdb still writes, the next start sweeps again.
fn sweep(data_dir: &Path) {
    let Ok(entries) = fs::read_dir(data_dir) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b"cluster.new")) {
        let _ = fs::remove_dir_all(entry.path());
    }
}

fn remove_if_there(path: &Path) -> Result<(), ServerError> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(ServerError::io("remove", path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}
