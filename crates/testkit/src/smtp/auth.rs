//! AUTH (RFC 4954): the one account, and how clients present it.

use std::io::Result;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncRead, AsyncWrite};

use super::wire::Wire;

/// The account of a server that requires a login, `user:password` as in a URL.
pub const LOGIN: &str = "shop:p%3Aa%20ss";

/// The challenges of AUTH LOGIN: "Username:" and "Password:", in Base64.
const USERNAME: &str = "VXNlcm5hbWU6";
const PASSWORD: &str = "UGFzc3dvcmQ6";

/// A user and a password.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Credentials {
    user: String,
    password: String,
}

impl Credentials {
    /// From the response of AUTH PLAIN: an identity to act as, which is ignored, the user and the password.
    fn from_plain(response: &str) -> Option<Self> {
        let decoded = decode(response)?;
        match decoded.split('\0').collect::<Vec<_>>()[..] {
            [_identity, user, password] => Some(Self { user: user.into(), password: password.into() }),
            _ => None,
        }
    }

    /// From the two responses of AUTH LOGIN.
    fn from_login(user: &str, password: &str) -> Option<Self> {
        Some(Self { user: decode(user)?, password: decode(password)? })
    }

    pub(super) fn are_valid(&self) -> bool {
        (self.user.as_str(), self.password.as_str()) == ("shop", "p:a ss")
    }
}

/// What the client presents by AUTH PLAIN or AUTH LOGIN. `None` if that makes no sense.
pub(super) async fn read_credentials<S>(wire: &mut Wire<S>, argument: &str) -> Result<Option<Credentials>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mechanism, initial) = argument.split_once(' ').unzip();
    match mechanism.unwrap_or(argument).to_ascii_uppercase().as_str() {
        "PLAIN" => Ok(Credentials::from_plain(&wire.challenge("", initial).await?)),
        "LOGIN" => {
            let user = wire.challenge(USERNAME, initial).await?;
            Ok(Credentials::from_login(&user, &wire.challenge(PASSWORD, None).await?))
        }
        _ => Ok(None),
    }
}

fn decode(response: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(response).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_are_decoded_or_rejected() {
        let plain = |text: &str| Credentials::from_plain(&STANDARD.encode(text));
        assert!(plain("\0shop\0p:a ss").is_some_and(|it| it.are_valid()));
        assert!(plain("admin\0shop\0p:a ss").is_some_and(|it| it.are_valid()));
        assert!(plain("\0shop\0wrong").is_some_and(|it| !it.are_valid()));
        assert_eq!((plain("shop\0p:a ss"), plain("\0shop\0p:a ss\0"), plain("")), (None, None, None));
        assert_eq!(Credentials::from_login("c2hvcA==", "cDphIHNz"), plain("\0shop\0p:a ss"));
        assert_eq!((Credentials::from_login("*", "cDphIHNz"), Credentials::from_plain("*")), (None, None));
    }
}
