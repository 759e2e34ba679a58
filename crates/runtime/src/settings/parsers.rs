//! Checks of single values. What they say never repeats the value, which may be a secret.

use secrecy::SecretString;
use sqlx::postgres::PgConnectOptions;

use crate::peer;

/// A database URL.
///
/// # Errors
/// When it is none.
pub fn database_url(text: &str) -> Result<SecretString, String> {
    let known = text.starts_with("postgres://") || text.starts_with("postgresql://");
    match text.parse::<PgConnectOptions>() {
        Ok(_) if known => Ok(text.into()),
        Ok(_) => Err("it does not begin with postgres://".into()),
        Err(error) => Err(error.to_string()),
    }
}

/// A key of a service account. Auth knows whether it is a good one.
pub(super) fn service_key(text: &str) -> Result<SecretString, String> {
    let text = text.trim();
    if text.starts_with("kt_sk_") { Ok(text.into()) } else { Err("it does not begin with kt_sk_".into()) }
}

/// The address of another service: `host:port`.
///
/// # Errors
/// When it is none.
pub fn peer_address(text: &str) -> Result<String, String> {
    let address = peer::endpoint(text).map_err(|_| "it is no host:port")?;
    if address.uri().port().is_none() {
        return Err("the port is missing, or is no number up to 65535".into());
    }
    Ok(text.to_owned())
}

/// An issuer of tokens (RFC 8414, section 2): `https://host`, perhaps with a port and a path.
///
/// # Errors
/// When it is none.
pub fn issuer(text: &str) -> Result<String, String> {
    let uri: http::Uri = text.parse().map_err(|_| "it is no address such as https://shop.example")?;
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    if !is_web || uri.host().is_none_or(str::is_empty) {
        return Err("it is no address such as https://shop.example".into());
    }
    if uri.query().is_some() || text.ends_with('/') {
        return Err("it ends with a slash or a query, which the tokens would name, too".into());
    }
    Ok(text.to_owned())
}
