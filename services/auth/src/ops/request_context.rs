//! The caller of an operation, and which users and permissions the caller may act on.

use kontor_runtime::Caller;
use kontor_types::ids::UserId;
use sqlx::PgConnection;

use super::Error;
use crate::domain::audit::Actor;
use crate::domain::origin::Origin;
use crate::store;

/// The caller of an operation, and the origin of the call.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestContext {
    pub(crate) caller: Caller,
    pub(crate) origin: Origin,
}

impl RequestContext {
    /// The caller as `users/me` or by name, or another user with the permission. Any other user is not found.
    pub(super) fn resolve_user(&self, name: &str, permission: &str) -> Result<UserId, Error> {
        let found = if name == "users/me" { self.caller.user() } else { UserId::from_name(name).ok() };
        let allowed = |id: &UserId| self.is_self(*id) || self.caller.may(permission);
        found.filter(allowed).ok_or_else(|| Error::NotFound(name.to_owned()))
    }

    /// The caller only, as `users/me` or by name.
    pub(super) fn resolve_self(&self, name: &str) -> Result<UserId, Error> {
        self.resolve_user(name, "")
    }

    pub(super) fn is_self(&self, user: UserId) -> bool {
        self.caller.user() == Some(user)
    }

    pub(super) fn require_permissions(
        &self,
        permissions: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<(), Error> {
        match permissions.into_iter().find(|permission| !self.caller.may(permission.as_ref())) {
            Some(missing) => Err(Error::PermissionMissing(missing.as_ref().to_owned())),
            None => Ok(()),
        }
    }

    /// Fails unless the caller holds all permissions of a member.
    pub(super) async fn require_permissions_of(&self, conn: &mut PgConnection, member: &str) -> Result<(), Error> {
        self.require_permissions(store::bindings::list_permissions(conn, member).await?)
    }

    /// Fails unless the caller is this user, or holds all permissions of the user.
    pub(super) async fn require_permissions_over(&self, conn: &mut PgConnection, user: UserId) -> Result<(), Error> {
        if self.is_self(user) { Ok(()) } else { self.require_permissions_of(conn, &user.to_string()).await }
    }
}

impl From<&RequestContext> for Actor {
    fn from(context: &RequestContext) -> Self {
        Self { name: context.caller.subject.to_string(), origin: context.origin.clone() }
    }
}
