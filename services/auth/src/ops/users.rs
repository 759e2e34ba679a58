//! Reading accounts.

use kontor_runtime::Caller;
use kontor_types::ids::UserId;

use super::{Auth, Error};
use crate::domain::account::User;
use crate::domain::roles::READ_USERS;
use crate::store;

/// Oneself as `users/me` or by name; others with the permission. Else there is no such user.
pub(crate) async fn get(auth: &Auth, caller: &Caller, name: &str) -> Result<User, Error> {
    let not_found = || Error::UserNotFound(name.to_owned());
    let id = visible(caller, name).ok_or_else(not_found)?;
    let mut conn = auth.pool.acquire().await?;
    store::users::find(&mut conn, id).await?.ok_or_else(not_found)
}

fn visible(caller: &Caller, name: &str) -> Option<UserId> {
    if name == "users/me" {
        return caller.user();
    }
    let id = UserId::from_name(name).ok()?;
    (caller.user() == Some(id) || caller.may(READ_USERS)).then_some(id)
}
