//! Where the links in mails lead: the shop's pages, which the settings name. Never to what a request says of itself.

use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// The origin of the shop's pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Links(String);

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no origin such as https://shop.example: http or https, a host, perhaps a port, and nothing else")]
pub(crate) struct LinksError;

impl Links {
    /// From an origin, with or without the slash at its end.
    pub(crate) fn parse(text: &str) -> Result<Self, LinksError> {
        let url = Url::parse(text).map_err(|_| LinksError)?;
        let origin = url.origin().ascii_serialization();
        // The URL that has nothing but the origin: no user, path, query or fragment.
        let is_bare = matches!(url.scheme(), "http" | "https") && url.as_str() == format!("{origin}/");
        if is_bare { Ok(Self(origin)) } else { Err(LinksError) }
    }

    /// To the page that takes the code of a sign-up. The code is in the fragment, which no server's log sees.
    pub(crate) fn verify_sign_up(&self, sign_up: &str, code: &SecretString) -> SecretString {
        format!("{}/verify-sign-up#signUp={sign_up}&code={}", self.0, code.expose_secret()).into()
    }

    /// To the page that takes the code of a password reset.
    pub(crate) fn reset_password(&self, reset: &str, code: &SecretString) -> SecretString {
        format!("{}/reset-password#passwordReset={reset}&code={}", self.0, code.expose_secret()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_a_host_and_perhaps_a_port() {
        let parsed = |text| Links::parse(text).map(|links| links.0);
        for (text, origin) in [
            ("https://shop.example", "https://shop.example"),
            ("https://Shop.Example:443/", "https://shop.example"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ] {
            assert_eq!(parsed(text), Ok(origin.to_owned()));
        }
        for bad in
            ["", "shop.example", "ftp://shop.example", "https://shop.example/shop", "https://a@shop.example", "x:"]
        {
            assert_eq!(parsed(bad), Err(LinksError), "{bad}");
        }
        for bad in ["https://shop.example?a", "https://shop.example#a", "javascript:alert(1)", "https://"] {
            assert_eq!(parsed(bad), Err(LinksError), "{bad}");
        }
    }
}
