//! What an access token says.

use kontor_types::ids::UserId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::caller::{Caller, Subject};

/// The audience of every access token.
pub const AUDIENCE: &str = "kontor";
/// The `typ` of every access token (RFC 9068, section 2.1).
pub const TOKEN_TYPE: &str = "at+jwt";

/// What an access token says (RFC 9068, section 2.2).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    /// Who it is about: `users/{uuid}` or `serviceAccounts/{name}`.
    pub sub: String,
    pub aud: String,
    pub client_id: String,
    /// When it was issued, in seconds since 1970.
    pub iat: i64,
    /// When it expires, in seconds since 1970.
    pub exp: i64,
    pub jti: String,
    /// The session, or the service account's key, that it belongs to.
    #[serde(default)]
    pub sid: String,
    /// The permissions it carries, separated by spaces (RFC 8693, section 4.2).
    #[serde(default)]
    pub scope: String,
}

impl Claims {
    /// Who is behind the token; none if it names nobody that there can be, or no session that could be revoked.
    pub(super) fn caller(&self) -> Option<Caller> {
        let subject = match self.sub.strip_prefix("serviceAccounts/") {
            Some(name) => Subject::Service(name.to_owned()),
            None => Subject::User(UserId::from_name(&self.sub).ok()?),
        };
        let permissions = self.scope.split_whitespace().map(str::to_owned);
        let caller = Caller::new(subject, permissions);
        match self.sid.as_str() {
            "" => Some(caller),
            sid => Some(caller.in_session(Uuid::try_parse(sid).ok()?)),
        }
    }
}
