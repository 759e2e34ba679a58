//! Every setting that the private server runs with, in one place.

use std::path::Path;

use super::ServerOptions;

/// Name of the socket is derived from it; nothing listens on such a port.
pub(super) const PORT: u16 = 5432;

/// `name=value` pairs for `postgres -c`.
pub(super) fn settings(options: &ServerOptions, socket_dir: &Path) -> Vec<String> {
    let durable = if options.durable { "on" } else { "off" };
    vec![
        "listen_addresses=".to_owned(),
        format!("port={PORT}"),
        format!("unix_socket_directories={}", quoted(socket_dir)),
        "unix_socket_permissions=0700".to_owned(),
        format!("max_connections={}", options.max_connections),
        format!("shared_buffers={}MB", options.shared_buffers_mb),
        format!("fsync={durable}"),
        format!("full_page_writes={durable}"),
        format!("synchronous_commit={durable}"),
        // Short statements only: compiling them costs more than it saves.
        "jit=off".to_owned(),
        "password_encryption=scram-sha-256".to_owned(),
        "logging_collector=off".to_owned(),
        "log_destination=stderr".to_owned(),
        "log_line_prefix=%m [%p] %q%a ".to_owned(),
        "cluster_name=kontor".to_owned(),
    ]
}

/// The setting is a list, in which a comma would start another folder.
fn quoted(dir: &Path) -> String {
    format!("\"{}\"", dir.display().to_string().replace('"', "\"\""))
}
