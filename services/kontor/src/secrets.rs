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
use crate::place::data_dir;
use crate::say;

/// The file in the data directory.
const FILE: &str = "secrets.json";

/// The secrets of a try-out.
#[derive(Clone)]
pub(crate) struct Secrets {
    /// The password of each service's database role.
    pub(crate) auth_database: SecretString,
    pub(crate) catalog_database: SecretString,
    pub(crate) order_database: SecretString,
    /// What auth seals its signing keys under: 32 bytes in base64.
    pub(crate) key_encryption: SecretString,
    /// The service accounts of the catalog and the order service.
    pub(crate) catalog_service_key: SecretString,
    pub(crate) order_service_key: SecretString,
    /// The administrator's password as it was on the first start.
    pub(crate) admin_password: SecretString,
    /// Whether they were made just now.
    pub(crate) are_new: bool,
    /// Whether the caller gave another password for the administrator than is kept.
    is_another: bool,
}

#[derive(Serialize, Deserialize)]
struct SecretsFile {
    auth_database: String,
    catalog_database: String,
    order_database: String,
    key_encryption: String,
    /// Not there in a file that an earlier version wrote.
    #[serde(default)]
    catalog_service_key: String,
    order_service_key: String,
    admin_password: String,
}

impl Secrets {
    /// Those of an earlier start, or new ones, with the administrator's password that the caller chose.
    pub(crate) fn load_or_make(place: &Path, admin_password: Option<SecretString>) -> Result<Self, Error> {
        complete(place)?;
        match (Self::load(place)?, admin_password) {
            (None, given) => Self::make(place, given),
            // A first start that was refused for its password is tried again with a better one; see `keep`.
            (Some(secrets), Some(admin_password)) => {
                let is_another = secrets.admin_password.expose_secret() != admin_password.expose_secret();
                Ok(Self { admin_password, is_another, ..secrets })
            }
            (Some(secrets), None) => Ok(secrets),
        }
    }

    /// Those of an earlier start.
    pub(crate) fn load(place: &Path) -> Result<Option<Self>, Error> {
        Ok(read(place)?.map(|file| Self::from_file(file, false)))
    }

    fn make(place: &Path, admin_password: Option<SecretString>) -> Result<Self, Error> {
        let admin_password = admin_password.map_or_else(password, |given| given.expose_secret().to_owned());
        let file = SecretsFile {
            auth_database: hex(),
            catalog_database: hex(),
            order_database: hex(),
            key_encryption: base64(&rand::random()),
            catalog_service_key: service_key("catalog"),
            order_service_key: service_key("order"),
            admin_password,
        };
        write(place, &serde_json::to_vec_pretty(&file)?)?;
        Ok(Self::from_file(file, true))
    }

    /// Keeps another password for the administrator, once it has been seen to be theirs.
    pub(crate) async fn keep(&self, up: &Up, place: &Path) -> Result<(), Error> {
        if !self.is_another {
            return Ok(());
        }
        let auth = kontor_runtime::peer::channel(&up.auth_addr.to_string())?;
        match crate::client::sign_in(auth, &up.admin_email, &self.admin_password).await {
            Ok(_) => write(place, &serde_json::to_vec_pretty(&self.to_file())?),
            Err(_) => {
                say("the administrator has another password than the given one; it stays as it is");
                Ok(())
            }
        }
    }

    fn to_file(&self) -> SecretsFile {
        let text = |secret: &SecretString| secret.expose_secret().to_owned();
        SecretsFile {
            auth_database: text(&self.auth_database),
            catalog_database: text(&self.catalog_database),
            order_database: text(&self.order_database),
            key_encryption: text(&self.key_encryption),
            catalog_service_key: text(&self.catalog_service_key),
            order_service_key: text(&self.order_service_key),
            admin_password: text(&self.admin_password),
        }
    }

    fn from_file(file: SecretsFile, are_new: bool) -> Self {
        Self {
            auth_database: file.auth_database.into(),
            catalog_database: file.catalog_database.into(),
            order_database: file.order_database.into(),
            key_encryption: file.key_encryption.into(),
            catalog_service_key: file.catalog_service_key.into(),
            order_service_key: file.order_service_key.into(),
            admin_password: file.admin_password.into(),
            are_new,
            is_another: false,
        }
    }
}

impl Operator {
    /// The password that was given, or the one that `kontor up` keeps.
    pub(crate) fn password(&self) -> Result<SecretString, Error> {
        if let Some(given) = &self.admin_password {
            return Ok(given.clone());
        }
        let secrets = Secrets::load(&data_dir(self.data_dir.as_deref())?)?;
        let secrets = secrets.ok_or("who asks? give --admin-password, or the --data-dir of `kontor up`")?;
        Ok(secrets.admin_password)
    }
}

fn read(place: &Path) -> Result<Option<SecretsFile>, Error> {
    let path = place.join(FILE);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("{} can't be read: {error}", path.display()).into()),
    };
    Ok(Some(serde_json::from_reader(file).map_err(|_| format!("{} is damaged", path.display()))?))
}

/// Makes and keeps what a file of an earlier version lacks.
fn complete(place: &Path) -> Result<(), Error> {
    match read(place)? {
        Some(file) if file.catalog_service_key.is_empty() => {
            let file = SecretsFile { catalog_service_key: service_key("catalog"), ..file };
            write(place, &serde_json::to_vec_pretty(&file)?)
        }
        Some(_) | None => Ok(()),
    }
}

/// Whole or not at all: a start that is cut off leaves no half file behind.
fn write(place: &Path, bytes: &[u8]) -> Result<(), Error> {
    let (path, draft) = (place.join(FILE), place.join(format!("{FILE}.new")));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&draft, &path)?;
    File::open(place)?.sync_all()?;
    Ok(())
}

fn service_key(account: &str) -> String {
    ServiceKey::generate(account).expose_secret().to_owned()
}

fn hex() -> String {
    format!("{:032x}", rand::random::<u128>())
}

/// Four groups of five letters and digits that can't be taken for one another: about 100 bits.
fn password() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz234567899";
    let group = || -> String { (0..5).map(|_| LETTERS[rand::random_range(0..32)] as char).collect() };
    [group(), group(), group(), group()].join("-")
}

fn base64(bytes: &[u8; 32]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
