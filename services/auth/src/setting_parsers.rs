//! Checks of single settings. What they say never repeats the value, which may be a secret.

use secrecy::SecretString;

use crate::domain::email::Email;
use crate::domain::links::Links;
use crate::domain::password;
use crate::domain::seal::KeyEncryptionKey;
use crate::domain::service_key::ServiceKey;
use crate::smtp;

/// The e-mail address of the administrator.
///
/// # Errors
/// When it is no e-mail address.
pub fn admin_email(text: &str) -> Result<String, String> {
    Email::parse(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

/// The administrator's password. Whether it is a known one is checked when the account is made.
///
/// # Errors
/// When it is too short.
pub fn admin_password(text: &str) -> Result<SecretString, String> {
    let password = SecretString::from(text);
    password::check_length(&password, false).map(|()| password).map_err(|error| format!("it {error}"))
}

/// A key of a service account.
///
/// # Errors
/// When its form or its checksum is wrong.
pub(crate) fn service_key(text: &str) -> Result<SecretString, String> {
    let key = SecretString::from(text.trim());
    ServiceKey::parse(&key).map(|_| key).map_err(|error| format!("one of them {error}"))
}

/// The key-encryption key.
///
/// # Errors
/// When it is not 32 bytes in base64.
pub(crate) fn key_encryption_key(text: &str) -> Result<SecretString, String> {
    let key = SecretString::from(text);
    KeyEncryptionKey::parse(&key).map(|_| key).map_err(|error| error.to_string())
}

/// The URL of a mail server.
///
/// # Errors
/// When it is none.
pub fn smtp_url(text: &str) -> Result<SecretString, String> {
    let url = SecretString::from(text);
    smtp::check_url(&url).map(|()| url).map_err(|error| error.to_string())
}

/// The address that mail comes from.
///
/// # Errors
/// When it is none.
pub fn mail_from(text: &str) -> Result<String, String> {
    smtp::check_sender(text).map(|()| text.to_owned()).map_err(|error| error.to_string())
}

/// The origin of the shop's pages.
///
/// # Errors
/// When it is none.
pub fn link_origin(text: &str) -> Result<String, String> {
    Links::parse(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}
