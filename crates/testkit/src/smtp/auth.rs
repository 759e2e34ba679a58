//! AUTH PLAIN (RFC 4954, RFC 4616): the one account, and how clients present it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The account of a server that requires a login, `user:password` as in a URL.
pub const LOGIN: &str = "shop:p%3Aa%20ss";

/// Whether the argument of AUTH presents that account.
pub(super) fn is_valid(argument: &str) -> bool {
    let response = argument.split_once(' ').filter(|(mechanism, _)| mechanism.eq_ignore_ascii_case("PLAIN"));
    let decoded = response.and_then(|(_, response)| STANDARD.decode(response).ok());
    // An identity to act as, which is ignored, the user and the password.
    let parts = decoded.as_deref().map(|decoded| decoded.split(|byte| *byte == 0).skip(1).collect::<Vec<_>>());
    parts.is_some_and(|parts| parts == [&b"shop"[..], b"p:a ss"])
}
