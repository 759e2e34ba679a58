//! Reading and changing accounts.

use super::{Auth, Error, Who};
use crate::domain::account::User;
use crate::store;

/// One user: oneself, or others with the permission.
pub(crate) async fn get(auth: &Auth, who: &Who, name: &str) -> Result<User, Error> {
    let id = who.reach(name, "user.read")?;
    let mut conn = auth.pool.acquire().await?;
    store::users::find(&mut conn, id).await?.ok_or_else(|| Error::NotFound(name.to_owned()))
}
