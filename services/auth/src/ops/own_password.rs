//! Confirming the caller's own password, before what a stolen access token must not be able to do.

use kontor_postgres::retry;
use secrecy::SecretString;
use sqlx::PgConnection;

use super::{Auth, Error, RequestContext};
use crate::domain::account::Credentials;
use crate::domain::audit::Event;
use crate::domain::throttle::Bucket;
use crate::store;

impl Auth {
    /// The caller's own account by name, once the password is confirmed. Attempts count like those of signing in.
    pub(super) async fn confirm_own_password(
        &self,
        context: &RequestContext,
        name: &str,
        given: SecretString,
    ) -> Result<Credentials, Error> {
        let permit = self.passwords.acquire()?;
        let user = context.resolve_self(name)?;
        let found = store::users::get_credentials(&mut *self.pool.acquire().await?, user).await?;
        let own = found.ok_or_else(|| Error::NotFound(name.to_owned()))?;
        let bucket = Bucket::password(&own.email.lower());
        self.admit(&[Bucket::address(context.origin.address), bucket.clone()]).await?;
        let matches = self.passwords.matches(permit, given, Some(own.password_hash.clone())).await?;
        retry("record_password_check", || self.record_password_check(context, &own, &bucket, matches)).await?;
        if matches { Ok(own) } else { Err(Error::CredentialsInvalid) }
    }

    async fn record_password_check(
        &self,
        context: &RequestContext,
        own: &Credentials,
        bucket: &Bucket,
        matches: bool,
    ) -> Result<(), Error> {
        let mut conn = self.pool.acquire().await?;
        if matches {
            return Ok(store::throttles::fill(&mut conn, bucket).await?);
        }
        let event = Event::new("user.password_check_failed", own.user);
        Ok(store::audit::insert(&mut conn, context, &event).await?)
    }
}

/// The same user, locked. Fails if the password was changed in the meantime.
pub(super) async fn lock(tx: &mut PgConnection, then: &Credentials) -> Result<Credentials, Error> {
    let now = store::users::lock_credentials(tx, then.user).await?;
    now.filter(|now| now.has_password_of(then)).ok_or(Error::CredentialsInvalid)
}
