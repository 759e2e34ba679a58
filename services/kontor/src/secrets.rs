//! The secrets that a try-out needs, made on the first start and kept in one file that only its owner can read.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use kontor_auth::ServiceKey;
use kontor_runtime::Error;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::cli::{Operator, Up};
use crate::say;

/// The file in the data directory.
const FILE: &str = "secrets.json";

/// The secrets of a try-out, as the file keeps them.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Secrets {
    /// The password of each service's database role.
    #[serde(with = "text")]
    pub(crate) auth_database: SecretString,
    #[serde(with = "text")]
    pub(crate) catalog_database: SecretString,
    #[serde(with = "text")]
    pub(crate) order_database: SecretString,
    /// What auth seals its signing keys under: 32 bytes in base64.
    #[serde(with = "text")]
    pub(crate) key_encryption: SecretString,
    /// The service accounts of the catalog and the order service. The first is missing in a file of an earlier version.
    #[serde(with = "text", default)]
    pub(crate) catalog_service_key: SecretString,
    #[serde(with = "text")]
    pub(crate) order_service_key: SecretString,
    /// The administrator's password as it was on the first start.
    #[serde(with = "text")]
    pub(crate) admin_password: SecretString,
    /// Whether a start has come so far that it told the password. A file of an earlier version was written by one.
    #[serde(default = "yes")]
    pub(crate) is_password_told: bool,
    /// Whether the caller gave another password for the administrator than is kept.
    #[serde(skip)]
    is_another: bool,
}

fn yes() -> bool {
    true
}

/// Secrets in the file, and nowhere else, are plain text.
mod text {
    use secrecy::{ExposeSecret, SecretString};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.expose_secret())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
        String::deserialize(deserializer).map(SecretString::from)
    }
}

impl Secrets {
    /// Those of an earlier start, or new ones, with the administrator's password that the caller chose.
    pub(crate) fn load_or_make(place: &Path, admin_password: Option<SecretString>) -> Result<Self, Error> {
        let kept = match Self::load(place)? {
            Some(kept) if kept.catalog_service_key.expose_secret().is_empty() => {
                let kept = Self { catalog_service_key: ServiceKey::generate("catalog"), ..kept };
                kept.write(place)?;
                Some(kept)
            }
            kept => kept,
        };
        match (kept, admin_password) {
            (None, given) => Self::make(place, given),
            // A first start that was refused for its password is tried again with a better one; see `keep`.
            (Some(secrets), Some(admin_password)) => {
                let is_another = secrets.admin_password.expose_secret() != admin_password.expose_secret();
                Ok(Self { admin_password, is_another, ..secrets })
            }
            (Some(secrets), None) => Ok(secrets),
        }
    }

    pub(crate) fn load(place: &Path) -> Result<Option<Self>, Error> {
        let path = place.join(FILE);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("{} can't be read: {error}", path.display()).into()),
        };
        Ok(Some(serde_json::from_reader(file).map_err(|_| format!("{} is damaged", path.display()))?))
    }

    fn make(place: &Path, admin_password: Option<SecretString>) -> Result<Self, Error> {
        let secrets = Self {
            auth_database: hex().into(),
            catalog_database: hex().into(),
            order_database: hex().into(),
            key_encryption: base64(&rand::random()).into(),
            catalog_service_key: ServiceKey::generate("catalog"),
            order_service_key: ServiceKey::generate("order"),
            admin_password: admin_password.unwrap_or_else(|| password().into()),
            is_password_told: false,
            is_another: false,
        };
        secrets.write(place)?;
        Ok(secrets)
    }

    /// Keeps another password for the administrator, once it has been seen to be theirs.
    pub(crate) async fn keep(&self, up: &Up, place: &Path) -> Result<(), Error> {
        if !self.is_another {
            return Ok(());
        }
        let auth = kontor_runtime::peer::channel(&up.auth_addr.to_string())?;
        match crate::client::sign_in(auth, &up.admin_email, &self.admin_password).await {
            Ok(_) => self.write(place),
            Err(_) => {
                say("the administrator has another password than the given one; it stays as it is");
                Ok(())
            }
        }
    }

    /// Notes that the administrator's password was told.
    pub(crate) fn password_is_told(&self, place: &Path) -> Result<(), Error> {
        if self.is_password_told {
            return Ok(());
        }
        Self { is_password_told: true, ..self.clone() }.write(place)
    }

    /// Whole or not at all: a start that is cut off leaves no half file behind.
    fn write(&self, place: &Path) -> Result<(), Error> {
        let (path, draft) = (place.join(FILE), place.join(format!("{FILE}.new")));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        file.write_all(&serde_json::to_vec_pretty(self)?)?;
        file.sync_all()?;
        std::fs::rename(&draft, &path)?;
        File::open(place)?.sync_all()?;
        Ok(())
    }
}

impl Operator {
    /// The password that was given, or the one that `kontor up` keeps.
    pub(crate) fn password(&self) -> Result<SecretString, Error> {
        admin_password(self.admin_password.as_ref(), self.data_dir.as_deref())
    }
}

/// The password that was given, or the one that `kontor up` keeps in its data directory.
pub(crate) fn admin_password(given: Option<&SecretString>, data_dir: Option<&Path>) -> Result<SecretString, Error> {
    if let Some(given) = given {
        return Ok(given.clone());
    }
    let secrets = Secrets::load(&crate::data_dir::data_dir(data_dir)?)?;
    let secrets = secrets.ok_or(
        "the administrator's password is not known here; give --admin-password, or the --data-dir of `kontor up`",
    )?;
    Ok(secrets.admin_password)
}

pub(crate) fn hex() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// Four groups of five letters and digits that can't be taken for one another: about 100 bits.
pub(crate) fn password() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz234567899";
    let group = || -> String { (0..5).map(|_| LETTERS[rand::random_range(0..32)] as char).collect() };
    [group(), group(), group(), group()].join("-")
}

pub(crate) fn base64(bytes: &[u8; 32]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
