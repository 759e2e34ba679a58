//! Trading the keys of service accounts for access tokens.

use kontor_postgres::retry;
use kontor_runtime::access::INTERNAL;
use secrecy::SecretString;
use sqlx::PgConnection;

use super::access_tokens::ServiceGrant;
use super::{AccessToken, Auth, Error};
use crate::domain::hash::SecretHash;
use crate::domain::service_account::{account_name, within};
use crate::domain::service_key::ServiceKey;
use crate::store;
use crate::store::service_keys::GoodKey;

/// Trades a key. A mistyped one is told by its checksum, before the database is asked; one that is unknown, deleted or expired is refused alike.
pub(crate) async fn issue(auth: &Auth, key: &SecretString) -> Result<AccessToken, Error> {
    let key = ServiceKey::parse(key).map_err(|_malformed| Error::CredentialsInvalid)?;
    let grant = retry("issue a service token", || try_grant(auth, &key.hash)).await?;
    Ok(auth.access_tokens.for_service(&grant)?)
}

async fn try_grant(auth: &Auth, hash: &SecretHash) -> Result<ServiceGrant, Error> {
    let mut tx = auth.pool.begin().await?;
    // First, so that two who trade the key at once wait here, and not for each other.
    store::service_keys::touch(&mut tx, hash).await?;
    let key = store::service_keys::lock_good(&mut tx, hash).await?.ok_or(Error::CredentialsInvalid)?;
    let permissions = permissions(&mut tx, &key).await?;
    tx.commit().await?;
    let GoodKey { account, sid, expire_time, .. } = key;
    Ok(ServiceGrant { account, sid, permissions, expire_time })
}

/// Kontor's own services hold that they are; others what their roles permit, within the scopes of the key.
async fn permissions(tx: &mut PgConnection, key: &GoodKey) -> Result<Vec<String>, sqlx::Error> {
    if key.built_in {
        return Ok(vec![INTERNAL.to_owned()]);
    }
    let held = store::bindings::list_permissions(tx, &account_name(&key.account)).await?;
    Ok(within(&key.scopes, held))
}
