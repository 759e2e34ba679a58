//! Opening sessions, and the tokens that come of it.

use kontor_types::ids::{SessionId, UserId};
use secrecy::SecretString;
use sqlx::PgConnection;

use super::access_tokens::CLIENT;
use super::{AccessToken, Auth, Error};
use crate::domain::hash::SecretHash;
use crate::domain::refresh;
use crate::store;

/// The tokens of a session.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) access: AccessToken,
    pub(crate) refresh: SecretString,
}

/// What a transaction has granted; the tokens are made of it once it is committed.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) user: UserId,
    pub(super) session: SessionId,
    pub(super) permissions: Vec<String>,
    pub(super) refresh: SecretString,
}

impl Granted {
    /// Signs the access token.
    pub(super) fn into_tokens(self, auth: &Auth) -> Result<Tokens, Error> {
        let access = auth.access_tokens.for_user(self.user, self.session, &self.permissions)?;
        Ok(Tokens { access, refresh: self.refresh })
    }
}

/// Opens a session of a user.
pub(super) async fn open(tx: &mut PgConnection, user: UserId) -> Result<Granted, sqlx::Error> {
    let session = SessionId::generate();
    store::sessions::insert(tx, session, user, CLIENT).await?;
    grant(tx, session, user, refresh::generate()).await
}

/// Gives a session, which has no good refresh token, this one.
pub(super) async fn grant(
    tx: &mut PgConnection,
    session: SessionId,
    user: UserId,
    refresh: SecretString,
) -> Result<Granted, sqlx::Error> {
    store::refresh_tokens::insert(tx, session, &SecretHash::of(&refresh)).await?;
    let permissions = store::bindings::list_permissions(tx, &user.to_string()).await?;
    Ok(Granted { user, session, permissions, refresh })
}
