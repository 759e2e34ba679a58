//! Who acts, and what they may do to whom.

use kontor_runtime::Caller;
use kontor_types::ids::UserId;
use sqlx::PgConnection;

use super::Error;
use crate::domain::audit::Actor;
use crate::domain::origin::Origin;
use crate::store;

/// Who acts, and from where.
#[derive(Clone, Debug, Default)]
pub(crate) struct Who {
    pub(crate) caller: Caller,
    pub(crate) origin: Origin,
}

impl Who {
    /// Oneself as `users/me` or by name; others with the permission. Else there is no such user.
    pub(super) fn reach(&self, name: &str, permission: &str) -> Result<UserId, Error> {
        let found = if name == "users/me" { self.caller.user() } else { UserId::from_name(name).ok() };
        let allowed = |id: &UserId| self.caller.user() == Some(*id) || self.caller.may(permission);
        found.filter(allowed).ok_or_else(|| Error::NotFound(name.to_owned()))
    }

    /// Oneself only, as `users/me` or by name.
    pub(super) fn myself(&self, name: &str) -> Result<UserId, Error> {
        self.reach(name, "")
    }

    /// Whether the caller is this user.
    pub(super) fn is(&self, user: UserId) -> bool {
        self.caller.user() == Some(user)
    }

    /// Fails unless the caller holds all of these permissions: nobody acts on what may do more than they may.
    pub(super) fn must_hold(&self, permissions: impl IntoIterator<Item = impl AsRef<str>>) -> Result<(), Error> {
        match permissions.into_iter().find(|permission| !self.caller.may(permission.as_ref())) {
            Some(missing) => Err(Error::PermissionMissing(missing.as_ref().to_owned())),
            None => Ok(()),
        }
    }

    /// The same of all that a member holds: somebody whom the caller acts on.
    pub(super) async fn must_hold_all_of(&self, conn: &mut PgConnection, member: &str) -> Result<(), Error> {
        self.must_hold(store::bindings::list_permissions(conn, member).await?)
    }
}

impl From<&Who> for Actor {
    fn from(who: &Who) -> Self {
        Self { name: who.caller.subject.to_string(), origin: who.origin.clone() }
    }
}
