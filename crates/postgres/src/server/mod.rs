//! A private Postgres: on a Unix socket only, for one data folder, ours to start and stop.
//!
//! For `kontor up` (durable) and for tests (not durable). Started again it goes on where it was:
//! after a clean stop, after only this process was killed (the old Postgres is stopped first), and
//! after everything was killed (Postgres recovers from its log).
//!
//! What it does not do: no TCP, no upgrade from one major version to another, no Windows.

mod account;
mod binaries;
mod cluster;
mod download;
mod error;
mod layout;
mod options;
mod process;
mod settings;
mod site;
mod takeover;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Child;

pub(crate) use account::Account;
pub use error::ServerError;
use layout::Layout;
pub use options::{Progress, ServerOptions};
use site::Site;
#[cfg(feature = "testing")]
pub(crate) use takeover::running;

use crate::Error;
use crate::secret_url::SecretUrl;

/// A running private Postgres.
///
/// Dropped without [`Server::stop`], Postgres goes on; the next [`start`] on its folder takes over.
#[derive(Debug)]
pub struct Server {
    site: Site,
    options: ServerOptions,
    child: Child,
    admin_url: SecretUrl,
    /// Held for as long as the folder is ours.
    _lock: File,
}

/// Starts Postgres on `options.data_dir`, which is made if it is not there.
///
/// # Errors
/// See [`ServerError`]; each says what to do about it.
pub async fn start(options: ServerOptions) -> Result<Server, Error> {
    let layout = Layout::prepare(&options.data_dir)?;
    let lock = layout.lock()?;
    let account = Account::prepare(&layout)?;
    let binaries = binaries::find_or_download(&layout, &account, &options).await?;
    let site = Site { layout, account, binaries };
    let last_end = takeover::stop_previous(&site).await?;
    cluster::ensure(&site, options.durable).await?;
    let admin_url = cluster::admin_url(&site)?;
    let child = process::start(&site, &options, &admin_url, last_end).await?;
    tracing::info!(data_dir = %site.layout.data_dir.display(), "private Postgres is ready");
    Ok(Server { site, options, child, admin_url, _lock: lock })
}

impl Server {
    /// URL of the administrator (a superuser) in this database. Secret: it holds the password.
    pub fn url(&self, database: &str) -> String {
        self.admin_url.with_database(database).to_string()
    }

    /// Process id of Postgres.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The Unix socket that Postgres listens on.
    pub fn socket(&self) -> PathBuf {
        self.site.layout.socket_dir.join(format!(".s.PGSQL.{}", settings::PORT))
    }

    /// Where Postgres writes its log.
    pub fn log(&self) -> &Path {
        &self.site.layout.log
    }

    /// A command line that opens a shell on the database, without the password in it.
    pub fn psql_hint(&self) -> String {
        let password = self.site.layout.password.display();
        let socket = self.site.layout.socket_dir.display();
        format!("PGPASSWORD=$(cat '{password}') psql -h '{socket}' -U postgres")
    }

    /// Waits until Postgres ends by itself, which it should not.
    pub async fn died(&mut self) {
        while matches!(self.child.try_wait(), Ok(None)) {
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        }
    }

    /// Ends Postgres: sessions are closed and everything is written down; if that takes too long,
    /// at once, with recovery at the next start.
    ///
    /// # Errors
    /// When it is still there after both.
    pub async fn stop(mut self) -> Result<(), Error> {
        process::stop(&self.site).await?;
        process::reap(&mut self.child).await;
        self.site.layout.remove_socket_dir();
        Ok(())
    }

    /// Ends Postgres at once, as a crash would: sessions break off in the middle, and nothing is tidied up. The folder stays ours,
    /// for [`Server::start_again`].
    ///
    /// # Errors
    /// When it is still there afterwards.
    pub async fn crash(&mut self) -> Result<(), Error> {
        process::crash(&self.site).await?;
        process::reap(&mut self.child).await;
        Ok(())
    }

    /// Starts Postgres anew after [`Server::crash`], and waits until it has recovered.
    ///
    /// # Errors
    /// When it ends instead, or takes no connections.
    pub async fn start_again(&mut self) -> Result<(), Error> {
        let killed = takeover::LastEnd::Killed;
        self.child = process::start(&self.site, &self.options, &self.admin_url, killed).await?;
        Ok(())
    }

    /// Where its binaries and files are.
    #[cfg(feature = "testing")]
    pub(crate) fn site(&self) -> &Site {
        &self.site
    }
}
