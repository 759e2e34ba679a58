//! What a caller decides about the private server.

use std::path::PathBuf;

/// Told one line about each step that takes long, such as a download.
pub type Progress = fn(&str);

/// What a caller decides about the private server. Start from [`ServerOptions::new`].
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Holds the cluster, its log and the administrator's password; made if missing.
    pub data_dir: PathBuf,
    /// `true`: an acknowledged commit survives a power cut. `false`: for tests, faster.
    pub durable: bool,
    /// Upper bound of connections from all services together.
    pub max_connections: u32,
    /// Memory for pages, in megabytes.
    pub shared_buffers_mb: u32,
    /// Where a downloaded Postgres is kept. `None`: `postgres-bin` beside the data folder.
    pub download_dir: Option<PathBuf>,
    pub progress: Option<Progress>,
}

impl ServerOptions {
    /// Durable, 200 connections, 256 MB of shared buffers.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            durable: true,
            max_connections: 200,
            shared_buffers_mb: 256,
            download_dir: None,
            progress: None,
        }
    }

    pub(super) fn report(&self, line: &str) {
        tracing::info!("{line}");
        if let Some(progress) = self.progress {
            progress(line);
        }
    }
}
