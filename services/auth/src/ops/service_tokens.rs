//! Trading the keys of service accounts for access tokens.

use secrecy::SecretString;

use super::{AccessToken, Auth, Error};
use crate::domain::service_key::ServiceKey;
use crate::store;

/// Trades a key. A mistyped one is told by its checksum, before the database is asked.
pub(crate) async fn issue(auth: &Auth, key: &SecretString) -> Result<AccessToken, Error> {
    let key = ServiceKey::parse(key).map_err(|_malformed| Error::CredentialsInvalid)?;
    let mut conn = auth.pool.acquire().await?;
    let account = store::service_accounts::find_account(&mut conn, &key.hash).await?;
    Ok(auth.access_tokens.for_service(&account.ok_or(Error::CredentialsInvalid)?)?)
}
