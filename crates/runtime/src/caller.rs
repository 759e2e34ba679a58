//! Who is behind a call, as its access token says.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use kontor_types::ids::UserId;
use tonic::{Request, Status};
use uuid::Uuid;

use crate::access::INTERNAL;
use crate::token::{Verified, Verifier};

/// Who is behind a call. The server layer puts it into each request's extensions, after it has checked the token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    pub subject: Subject,
    permissions: Arc<HashSet<String>>,
    sid: Option<Uuid>,
}

/// Who it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Subject {
    /// Nobody that we know: no token was sent.
    #[default]
    Anonymous,
    User(UserId),
    /// A service, ours or another, by the name of its account: "order".
    Service(String),
}

impl fmt::Display for Subject {
    /// As the token's `sub` names it; empty for nobody.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => Ok(()),
            Self::User(id) => id.fmt(f),
            Self::Service(name) => write!(f, "serviceAccounts/{name}"),
        }
    }
}

/// Whether the caller of a call that takes long would still be let in.
#[derive(Clone, Default)]
pub struct Standing(Option<(Arc<Verifier>, Arc<Verified>)>);

impl Standing {
    pub(crate) fn new(verifier: Arc<Verifier>, token: Arc<Verified>) -> Self {
        Self(Some((verifier, token)))
    }

    /// Of the caller of a request that came through the server layer.
    pub fn of<T>(request: &Request<T>) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or_default()
    }

    /// To be asked before a late commit.
    ///
    /// # Errors
    /// UNAUTHENTICATED if the token was revoked meanwhile.
    pub fn check(&self) -> Result<(), Status> {
        self.0.as_ref().map_or(Ok(()), |(verifier, token)| verifier.check(token))
    }
}

impl Caller {
    /// With the permissions that the token carries.
    pub fn new(subject: Subject, permissions: impl IntoIterator<Item = String>) -> Self {
        Self { subject, permissions: Arc::new(permissions.into_iter().collect()), sid: None }
    }

    /// With the session, or the service account's key, that the token belongs to.
    #[must_use]
    pub fn in_session(self, sid: Uuid) -> Self {
        Self { sid: Some(sid), ..self }
    }

    /// The session, or the service account's key, that the token belongs to.
    pub fn sid(&self) -> Option<Uuid> {
        self.sid
    }

    /// Of a request that came through the server layer.
    pub fn of<T>(request: &Request<T>) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or_default()
    }

    /// The user, if a person is behind the call.
    pub fn user(&self) -> Option<UserId> {
        match self.subject {
            Subject::User(id) => Some(id),
            Subject::Anonymous | Subject::Service(_) => None,
        }
    }

    /// Whether it is one of Kontor's own services. Operators make service accounts for others, too.
    pub fn is_internal(&self) -> bool {
        matches!(self.subject, Subject::Service(_)) && self.may(INTERNAL)
    }

    /// Whether the token carries the permission.
    pub fn may(&self, permission: &str) -> bool {
        self.permissions.contains(permission)
    }
}
