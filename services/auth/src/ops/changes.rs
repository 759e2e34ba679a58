//! What changes of accounts and of who may do what have in common.

use kontor_types::ids::UserId;
use sqlx::{PgConnection, Postgres, Transaction};

use super::{Auth, Error, Who};
use crate::domain::binding::Member;
use crate::domain::roles::Role;
use crate::store;

/// Begins a change. They take turns, by the lock that setting up takes too: what one of them has read of roles, bindings and accounts stays
/// true until it is committed. So does what the caller may do: whoever loses permissions has their tokens revoked under the same lock, and one that
/// was revoked while it waited decides nothing any more.
pub(super) async fn begin(auth: &Auth, who: &Who) -> Result<Transaction<'static, Postgres>, Error> {
    let mut tx = auth.pool.begin().await?;
    store::setup::lock(&mut tx).await?;
    match who.caller.sid() {
        Some(sid) if store::revocations::exists(&mut tx, sid).await? => Err(Error::TokenRevoked),
        Some(_) | None => Ok(tx),
    }
}

/// Fails if this user, who has or loses these roles, is the last administrator who is not suspended.
pub(super) async fn others_administer(tx: &mut PgConnection, user: UserId, roles: &[String]) -> Result<(), Error> {
    let administrator = Role::Administrator.name();
    if !roles.iter().any(|role| role == administrator)
        || store::bindings::any_other_administrator(tx, user, administrator).await?
    {
        return Ok(());
    }
    Err(Error::LastAdministrator)
}

/// Ends what goes on with the permissions that these members had so far: sessions of users, tokens of service accounts. Whoever signs in or
/// trades a key at the same time is waited for, or waits and then gets the permissions as they are after this.
pub(super) async fn end_tokens(tx: &mut PgConnection, members: &[Member]) -> Result<(), sqlx::Error> {
    let users: Vec<UserId> = members.iter().filter_map(Member::user).collect();
    let accounts: Vec<&str> = members.iter().filter_map(Member::service_account).collect();
    store::accounts::lock(tx, &users).await?;
    store::revocations::end_sessions(tx, &users, None).await?;
    let sids = store::service_keys::renew_sids(tx, &accounts).await?;
    store::revocations::insert(tx, &sids).await
}
