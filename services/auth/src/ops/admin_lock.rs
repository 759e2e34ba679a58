//! The lock that changes of accounts, roles and role bindings take, and the rules that hold under it.

use kontor_types::ids::UserId;
use sqlx::{PgConnection, PgTransaction};

use super::{Auth, Error, RequestContext};
use crate::domain::binding::Member;
use crate::domain::roles::Role;
use crate::store;

impl Auth {
    /// Begins a change that holds the admin lock, which the set-up takes too. Under it, roles, bindings and accounts stay as they were read
    /// until the commit, and so do the caller's permissions: a loss of permissions revokes tokens under the same lock, and a caller whose token
    /// was revoked while the call waited for the lock is refused.
    pub(super) async fn begin_admin_change(&self, context: &RequestContext) -> Result<PgTransaction<'static>, Error> {
        let mut tx = self.pool.begin().await?;
        store::setup::lock(&mut tx).await?;
        match context.caller.sid() {
            Some(sid) if store::revocations::exists(&mut tx, sid).await? => Err(Error::TokenRevoked),
            Some(_) | None => Ok(tx),
        }
    }
}

/// Fails if this user, who loses these roles, is the last administrator who is not suspended.
pub(super) async fn require_other_administrator(
    tx: &mut PgConnection,
    user: UserId,
    roles: &[String],
) -> Result<(), Error> {
    let administrator = Role::Administrator.name();
    if !roles.iter().any(|role| role == administrator)
        || store::bindings::any_other_administrator(tx, user, administrator).await?
    {
        return Ok(());
    }
    Err(Error::LastAdministrator)
}

/// Ends the sessions of users and revokes the tokens of service accounts, because their permissions change. A sign-in or a token request that
/// runs at the same time either commits first and is revoked here, or waits and gets the new permissions.
pub(super) async fn revoke_tokens(tx: &mut PgConnection, members: &[Member]) -> Result<(), sqlx::Error> {
    let users: Vec<UserId> = members.iter().filter_map(Member::user).collect();
    let accounts: Vec<&str> = members.iter().filter_map(Member::service_account).collect();
    store::accounts::lock(tx, &users).await?;
    store::revocations::end_sessions(tx, &users, None).await?;
    let sids = store::service_keys::renew_sids(tx, &accounts).await?;
    store::revocations::insert(tx, &sids).await
}
