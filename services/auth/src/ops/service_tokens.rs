//! Exchanging the keys of service accounts for access tokens.

use kontor_postgres::retry;
use kontor_runtime::access::INTERNAL;
use secrecy::SecretString;
use sqlx::PgConnection;

use super::{Auth, Error};
use crate::domain::hash::SecretHash;
use crate::domain::service_account::{account_name, within};
use crate::domain::service_key::ServiceKey;
use crate::domain::session::AccessToken;
use crate::store;
use crate::store::service_keys::GoodKey;

impl Auth {
    /// Exchanges a key for an access token. A mistyped key fails its checksum, without a query; unknown, deleted and expired ones are refused alike.
    pub async fn issue_service_token(&self, key: &SecretString) -> Result<AccessToken, Error> {
        let key = ServiceKey::parse(key).map_err(|_malformed| Error::CredentialsInvalid)?;
        let (key, permissions) = retry("issue_service_token", || self.issue_service_token_once(&key.hash)).await?;
        Ok(self.access_tokens.for_service(&key, &permissions)?)
    }

    async fn issue_service_token_once(&self, hash: &SecretHash) -> Result<(GoodKey, Vec<String>), Error> {
        let mut tx = self.pool.begin().await?;
        // First, so that two requests with the same key queue here instead of deadlocking.
        store::service_keys::touch(&mut tx, hash).await?;
        let key = store::service_keys::lock_good(&mut tx, hash).await?.ok_or(Error::CredentialsInvalid)?;
        let permissions = permissions(&mut tx, &key).await?;
        tx.commit().await?;
        Ok((key, permissions))
    }
}

/// Kontor's own services hold [`INTERNAL`]; others the permissions of their roles, within the scopes of the key.
async fn permissions(tx: &mut PgConnection, key: &GoodKey) -> Result<Vec<String>, sqlx::Error> {
    if key.built_in {
        return Ok(vec![INTERNAL.to_owned()]);
    }
    let held = store::bindings::list_permissions(tx, &account_name(&key.account)).await?;
    Ok(within(&key.scopes, held))
}
