//! The mail server that the settings name.

use std::net::IpAddr;

use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

/// What `smtp://user:password@host:port?tls=..` says.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) security: Security,
    pub(super) user: Option<(String, SecretString)>,
}

/// How the way to the mail server is kept from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Security {
    /// TLS from the first byte.
    Tls,
    /// TLS before anything that matters, or nothing is sent.
    StartTls,
    Plain,
}

/// Settings of mail that make no sense. None of them repeats the URL, which holds a password.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SettingsError {
    /// It is no URL of a mail server.
    #[error(
        "KONTOR_SMTP_URL is no URL such as smtp://user:password@mail.example:587 or smtps://user:password@mail.example"
    )]
    Url,
    #[error("KONTOR_SMTP_URL may end with ?tls=required or ?tls=none, smtps:// with neither, and with nothing else")]
    Options,
    #[error("KONTOR_SMTP_URL needs KONTOR_MAIL_FROM: the address that mail comes from")]
    NoSender,
    #[error("KONTOR_MAIL_FROM is no address such as shop@shop.example or Shop <shop@shop.example>")]
    Sender,
    #[error("KONTOR_SMTP_URL: TLS can't be used: {0}")]
    Tls(String),
}

impl Server {
    pub(super) fn parse(url: &SecretString) -> Result<Self, SettingsError> {
        let url = Url::parse(url.expose_secret()).map_err(|_| SettingsError::Url)?;
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(SettingsError::Url);
        }
        let host = match url.host().ok_or(SettingsError::Url)? {
            Host::Domain(domain) => domain.to_owned(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        let security = security(&url, &host)?;
        let port = url.port().unwrap_or(security.default_port());
        Ok(Self { user: user(&url)?, host, port, security })
    }
}

impl Security {
    fn default_port(self) -> u16 {
        match self {
            Self::Tls => 465,
            Self::StartTls => 587,
            Self::Plain => 25,
        }
    }
}

/// In clear text only to this machine, or if the settings say so.
fn security(url: &Url, host: &str) -> Result<Security, SettingsError> {
    match (url.scheme(), url.query()) {
        ("smtps", None) => Ok(Security::Tls),
        ("smtp", None) if is_loopback(host) => Ok(Security::Plain),
        ("smtp", None | Some("tls=required")) => Ok(Security::StartTls),
        ("smtp", Some("tls=none")) => Ok(Security::Plain),
        ("smtp" | "smtps", _) => Err(SettingsError::Options),
        _ => Err(SettingsError::Url),
    }
}

/// Whether the host is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

fn user(url: &Url) -> Result<Option<(String, SecretString)>, SettingsError> {
    let decoded = |text: &str| match percent_decode_str(text).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err(SettingsError::Url),
    };
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) | (_, None) => Err(SettingsError::Url),
        (user, Some(password)) => Ok(Some((decoded(user)?, decoded(password)?.into()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Server, SettingsError> {
        Server::parse(&url.into())
    }

    #[test]
    fn mail_goes_in_clear_text_to_this_machine_only_unless_the_settings_say_so() {
        for (url, host, port, security) in [
            ("smtps://mail.example", "mail.example", 465, Security::Tls),
            ("smtp://mail.example", "mail.example", 587, Security::StartTls),
            ("smtp://mail.example:25/", "mail.example", 25, Security::StartTls),
            ("smtp://mail.example?tls=none", "mail.example", 25, Security::Plain),
            ("smtp://192.0.2.1:1025", "192.0.2.1", 1025, Security::StartTls),
            ("smtp://localhost:1025", "localhost", 1025, Security::Plain),
            ("smtp://127.0.0.1:1025", "127.0.0.1", 1025, Security::Plain),
            ("smtp://[::1]:1025", "::1", 1025, Security::Plain),
            ("smtp://localhost:1025?tls=required", "localhost", 1025, Security::StartTls),
            ("smtp://localhost.example:1025", "localhost.example", 1025, Security::StartTls),
        ] {
            let server = parse(url).unwrap();
            assert_eq!((server.host.as_str(), server.port, server.security), (host, port, security), "{url}");
        }
    }

    #[test]
    fn user_and_password_are_decoded_and_go_together() {
        let (user, password) = parse("smtp://shop%40example:p%3Aa+%2F@mail.example").unwrap().user.unwrap();
        assert_eq!((user.as_str(), password.expose_secret()), ("shop@example", "p:a+/"));
        assert!(parse("smtp://mail.example").unwrap().user.is_none());
        for url in ["smtp://shop@mail.example", "smtp://:secret@mail.example"] {
            assert_eq!(parse(url).unwrap_err(), SettingsError::Url, "{url}");
        }
    }

    #[test]
    fn other_texts_are_refused_and_not_repeated() {
        for url in ["", "mail.example:587", "http://hunter2@mail.example", "smtp://", "smtp://mail.example/hunter2"] {
            let error = parse(url).unwrap_err();
            assert!(error == SettingsError::Url && !error.to_string().contains("hunter2"), "{url}");
        }
        for url in ["smtp://mail.example?tls=maybe", "smtp://mail.example?a", "smtps://mail.example?tls=none"] {
            assert_eq!(parse(url).unwrap_err(), SettingsError::Options, "{url}");
        }
        assert!(!format!("{:?}", parse("smtp://shop:hunter2@mail.example").unwrap()).contains("hunter2"));
    }
}
