//! Removing a second factor.

use kontor_postgres::retry;
use kontor_types::ids::UserId;
use secrecy::SecretString;
use sqlx::PgConnection;

use super::second_factor::{ABSENT, lock_active};
use super::{Auth, Error, RequestContext};
use crate::domain::account::Credentials;
use crate::domain::audit::Event;
use crate::domain::throttle::Bucket;
use crate::domain::{mail, password};
use crate::store;

impl Auth {
    /// Removes the caller's second factor by password and code, or another user's with the permission.
    pub async fn remove_second_factor(
        &self,
        context: &RequestContext,
        parent: &str,
        password: SecretString,
        code: &SecretString,
    ) -> Result<(), Error> {
        let user = context.resolve_user(parent, "user.edit")?;
        if context.is_self(user) {
            self.remove_own_second_factor(context, parent, password, code).await?;
        } else {
            let remove = || self.remove_others_second_factor_once(context, user);
            retry("remove_others_second_factor", remove).await?;
        }
        self.mail_queued.notify_one();
        Ok(())
    }

    async fn remove_own_second_factor(
        &self,
        context: &RequestContext,
        parent: &str,
        password: SecretString,
        code: &SecretString,
    ) -> Result<(), Error> {
        let own = self.confirm_own_password(context, parent, password.clone()).await?;
        password::check_length(&password, false).map_err(Error::refused_password("password"))?;
        self.admit(&[Bucket::second_factor(own.user)]).await?;
        retry("remove_own_second_factor", || self.remove_own_second_factor_once(context, &own, code)).await
    }

    async fn remove_own_second_factor_once(
        &self,
        context: &RequestContext,
        own: &Credentials,
        code: &SecretString,
    ) -> Result<(), Error> {
        let mut tx = self.pool.begin().await?;
        let now = lock_active(&mut tx, own).await?;
        self.use_code(&mut tx, &now, code).await?.ok_or(Error::CodeInvalid)?;
        remove(&mut tx, context, &now).await?;
        Ok(tx.commit().await?)
    }

    async fn remove_others_second_factor_once(&self, context: &RequestContext, user: UserId) -> Result<(), Error> {
        let mut tx = self.pool.begin().await?;
        let found = store::users::lock_credentials(&mut tx, user).await?;
        let now = found.ok_or_else(|| Error::NotFound(user.to_string()))?;
        context.require_permissions_over(&mut tx, user).await?;
        if !now.has_second_factor {
            return Err(ABSENT);
        }
        remove(&mut tx, context, &now).await?;
        Ok(tx.commit().await?)
    }
}

async fn remove(tx: &mut PgConnection, context: &RequestContext, now: &Credentials) -> Result<(), sqlx::Error> {
    store::authenticators::delete(tx, now.user).await?;
    store::recovery_codes::replace(tx, now.user, &[]).await?;
    store::challenges::delete_all(tx, now.user).await?;
    store::throttles::fill(tx, &Bucket::second_factor(now.user)).await?;
    store::audit::insert(tx, context, &Event::new("second_factor.removed", now.user)).await?;
    store::mails::insert(tx, &mail::second_factor_removed(&now.email)).await
}
