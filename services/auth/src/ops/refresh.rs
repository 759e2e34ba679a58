//! Exchanging refresh tokens. Every change of a session's tokens holds the lock on the session's row.

use kontor_postgres::retry;
use secrecy::SecretString;
use sqlx::PgConnection;

use super::sessions::{self, Granted};
use super::{Auth, Error, RequestContext};
use crate::domain::audit::Event;
use crate::domain::hash::{SecretHash, random_secret};
use crate::domain::refresh::Verdict;
use crate::domain::session::{SessionName, Tokens};
use crate::store::{self, refresh_tokens, sessions as session_rows};

enum Outcome {
    Granted(Granted),
    Refused,
    /// Refused, and the session was ended.
    Revoked,
}

impl Auth {
    /// Exchanges a refresh token for new tokens.
    pub async fn refresh_tokens(&self, context: &RequestContext, token: &SecretString) -> Result<Tokens, Error> {
        let hash = SecretHash::of(token);
        match retry("refresh_tokens", || self.refresh_tokens_once(context, &hash)).await? {
            Outcome::Granted(granted) => self.sign_tokens(granted),
            Outcome::Refused => Err(Error::RefreshTokenInvalid),
            Outcome::Revoked => {
                self.revoked.notify_waiters();
                Err(Error::RefreshTokenInvalid)
            }
        }
    }

    async fn refresh_tokens_once(&self, context: &RequestContext, hash: &SecretHash) -> Result<Outcome, Error> {
        let mut tx = self.pool.begin().await?;
        let Some(id) = refresh_tokens::find_session(&mut tx, hash).await? else { return Ok(Outcome::Refused) };
        let Some(user) = session_rows::lock_open(&mut tx, id).await? else { return Ok(Outcome::Refused) };
        let session = SessionName { user, id };
        let outcome = match refresh_tokens::get(&mut tx, hash).await?.judge() {
            Verdict::Rotate => Outcome::Granted(rotate(&mut tx, session, hash).await?),
            Verdict::RotateAgain(first_successor) => {
                refresh_tokens::set_ended(&mut tx, &first_successor).await?;
                Outcome::Granted(rotate(&mut tx, session, hash).await?)
            }
            Verdict::Refuse => Outcome::Refused,
            Verdict::Revoke => revoke(&mut tx, context, session).await?,
        };
        tx.commit().await?;
        Ok(outcome)
    }
}

async fn rotate(tx: &mut PgConnection, session: SessionName, used: &SecretHash) -> Result<Granted, sqlx::Error> {
    let refresh = random_secret();
    refresh_tokens::set_used(tx, used, &SecretHash::of(&refresh)).await?;
    session_rows::set_refreshed(tx, session.id).await?;
    sessions::grant(tx, session, refresh).await
}

/// The audit event names no actor: the token was sent by its owner or by a thief.
async fn revoke(tx: &mut PgConnection, context: &RequestContext, session: SessionName) -> Result<Outcome, sqlx::Error> {
    tracing::warn!(%session, "used refresh token presented again, session revoked");
    store::audit::insert(tx, context, &Event::new("refresh_token.reused", session)).await?;
    sessions::end(tx, "system", context, session).await?;
    Ok(Outcome::Revoked)
}
