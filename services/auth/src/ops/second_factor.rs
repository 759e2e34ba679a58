//! Adding an authenticator to an account, and its recovery codes.

use kontor_postgres::retry;
use secrecy::{ExposeSecret, SecretString};
use sqlx::PgConnection;

use super::{Auth, Error, RequestContext, own_password};
use crate::domain::account::Credentials;
use crate::domain::audit::Event;
use crate::domain::second_factor::{Enrollment, SecondFactor, State};
use crate::domain::throttle::Bucket;
use crate::domain::totp::{self, Authenticator};
use crate::domain::{mail, recovery_code};
use crate::store;

pub(super) const ABSENT: Error = Error::SecondFactorState("the account has no second factor");
const ACTIVE: Error = Error::SecondFactorState("the account has a second factor already; remove it first");
const NOT_ENROLLED: Error =
    Error::SecondFactorState("no authenticator waits for its first code; enroll an authenticator first");

impl Auth {
    /// The second factor of the caller, or of another user with the permission.
    pub async fn get_second_factor(&self, context: &RequestContext, name: &str) -> Result<SecondFactor, Error> {
        let not_found = || Error::NotFound(name.to_owned());
        let user = name.trim_end_matches("/secondFactor");
        let user = context.resolve_user(user, "user.read").map_err(|_| not_found())?;
        let mut conn = self.pool.acquire().await?;
        store::users::get_credentials(&mut conn, user).await?.ok_or_else(not_found)?;
        let state = match store::authenticators::find(&mut conn, user).await? {
            None => State::Absent,
            Some(kept) => kept.confirm_time.map_or(State::Pending, State::Active),
        };
        let recovery_codes_left = store::recovery_codes::count_left(&mut conn, user).await?;
        Ok(SecondFactor { user, state, recovery_codes_left })
    }

    /// Adds an authenticator that waits for its first code.
    pub async fn enroll_totp(
        &self,
        context: &RequestContext,
        parent: &str,
        password: SecretString,
    ) -> Result<Enrollment, Error> {
        let own = self.confirm_own_password(context, parent, password).await?;
        let secret = totp::generate();
        let sealed = self.kek.seal(&totp::place(own.user), secret.expose_secret())?;
        retry("enroll_totp", || self.enroll_totp_once(&own, &sealed)).await?;
        let authenticator = Authenticator::new(&secret, &own.email)?;
        Ok(Enrollment { secret: authenticator.secret(), uri: authenticator.uri()? })
    }

    async fn enroll_totp_once(&self, own: &Credentials, sealed: &[u8]) -> Result<(), Error> {
        let mut tx = self.pool.begin().await?;
        own_password::lock(&mut tx, own).await?;
        if !store::authenticators::begin(&mut tx, own.user, sealed).await? {
            return Err(ACTIVE);
        }
        Ok(tx.commit().await?)
    }

    /// Activates an authenticator by its first code, and returns the recovery codes.
    pub async fn confirm_totp(
        &self,
        context: &RequestContext,
        parent: &str,
        code: &SecretString,
    ) -> Result<Vec<SecretString>, Error> {
        let user = context.resolve_self(parent)?;
        self.admit(&[Bucket::address(context.origin.address), Bucket::second_factor(user)]).await?;
        let codes = recovery_code::generate();
        retry("confirm_totp", || self.confirm_totp_once(context, code, &codes)).await?;
        self.mail_queued.notify_one();
        Ok(codes)
    }

    async fn confirm_totp_once(
        &self,
        context: &RequestContext,
        code: &SecretString,
        codes: &[SecretString],
    ) -> Result<(), Error> {
        let mut tx = self.pool.begin().await?;
        let user = context.resolve_self("users/me")?;
        let own = store::users::lock_credentials(&mut tx, user).await?.ok_or(Error::NotSignedIn)?;
        let enrolled = store::authenticators::find(&mut tx, user).await?.ok_or(NOT_ENROLLED)?;
        if enrolled.confirm_time.is_some() {
            return Err(ACTIVE);
        }
        self.use_totp_code(&mut tx, &own, code).await?.then_some(()).ok_or(Error::TotpCodeInvalid)?;
        store::authenticators::set_confirmed(&mut tx, user).await?;
        replace_recovery_codes(&mut tx, &own, codes).await?;
        store::audit::insert(&mut tx, context, &Event::new("second_factor.added", user)).await?;
        store::mails::insert(&mut tx, &mail::second_factor_added(&own.email)).await?;
        Ok(tx.commit().await?)
    }

    /// Replaces the recovery codes.
    pub async fn regenerate_recovery_codes(
        &self,
        context: &RequestContext,
        parent: &str,
        password: SecretString,
        code: &SecretString,
    ) -> Result<Vec<SecretString>, Error> {
        let own = self.confirm_own_password(context, parent, password).await?;
        self.admit(&[Bucket::second_factor(own.user)]).await?;
        let codes = recovery_code::generate();
        let replace = || self.regenerate_recovery_codes_once(context, &own, code, &codes);
        retry("regenerate_recovery_codes", replace).await?;
        Ok(codes)
    }

    async fn regenerate_recovery_codes_once(
        &self,
        context: &RequestContext,
        own: &Credentials,
        code: &SecretString,
        codes: &[SecretString],
    ) -> Result<(), Error> {
        let mut tx = self.pool.begin().await?;
        let now = lock_active(&mut tx, own).await?;
        self.use_totp_code(&mut tx, &now, code).await?.then_some(()).ok_or(Error::TotpCodeInvalid)?;
        replace_recovery_codes(&mut tx, &now, codes).await?;
        let event = Event::new("second_factor.recovery_codes_replaced", now.user);
        store::audit::insert(&mut tx, context, &event).await?;
        Ok(tx.commit().await?)
    }
}

/// Also resets the throttle of codes: the caller has just given a correct one.
async fn replace_recovery_codes(
    tx: &mut PgConnection,
    own: &Credentials,
    codes: &[SecretString],
) -> Result<(), sqlx::Error> {
    let hashes: Vec<_> = codes.iter().map(recovery_code::hash).collect();
    store::recovery_codes::replace(tx, own.user, &hashes).await?;
    store::throttles::fill(tx, &Bucket::second_factor(own.user)).await
}

/// The caller's own account, locked, if it has a second factor.
pub(super) async fn lock_active(tx: &mut PgConnection, own: &Credentials) -> Result<Credentials, Error> {
    let now = own_password::lock(tx, own).await?;
    if now.has_second_factor { Ok(now) } else { Err(ABSENT) }
}
