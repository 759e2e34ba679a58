//! Signing up: a mailed code creates the account. Only the mail shows whether the address has one already.

use chrono::{DateTime, Utc};
use kontor_postgres::retry;
use kontor_types::ids::{SignUpId, UserId};
use secrecy::SecretString;
use sqlx::PgConnection;

use super::sessions::{self, Granted};
use super::{Auth, Error, RequestContext};
use crate::domain::audit::Event;
use crate::domain::code::{self, CodeCheck};
use crate::domain::email::Email;
use crate::domain::hash::SecretHash;
use crate::domain::roles::Role;
use crate::domain::session::Tokens;
use crate::domain::throttle::Bucket;
use crate::domain::{mail, password};
use crate::store;
use crate::store::sign_ups::{NewSignUp, SignUp};
use crate::store::users::NewUser;

pub(crate) struct Applicant {
    pub(crate) email: Email,
    pub(crate) password: SecretString,
    pub(crate) display_name: String,
}

impl Auth {
    /// Mails a code, and returns when it expires. An address with an account gets the same answer, after the same work.
    pub async fn sign_up(
        &self,
        context: &RequestContext,
        applicant: &Applicant,
    ) -> Result<(SignUpId, DateTime<Utc>), Error> {
        password::check(&applicant.password, &applicant.email, false).map_err(Error::refused_password("password"))?;
        let permit = self.passwords.acquire()?;
        self.admit(&[Bucket::address(context.origin.address), Bucket::mail(&applicant.email.mailbox())]).await?;
        let password_hash = self.passwords.hash(permit, applicant.password.clone()).await?;
        let (id, code) = (SignUpId::generate(), code::generate());
        let code_hash = code::hash(id, &code);
        let (email, display_name) = (&applicant.email, applicant.display_name.as_str());
        let new = NewSignUp { id, email, display_name, password_hash: &password_hash, code_hash: &code_hash };
        let expire_time = retry("sign_up", || self.sign_up_once(&new, &code)).await?;
        self.mail_queued.notify_one();
        Ok((id, expire_time))
    }

    async fn sign_up_once(&self, new: &NewSignUp<'_>, code: &SecretString) -> Result<DateTime<Utc>, Error> {
        let mut tx = self.pool.begin().await?;
        // A row is added in any case. For an address with an account, no mail carries its code.
        let expire_time = store::sign_ups::insert(&mut tx, new).await?;
        let letter = match store::users::exists(&mut tx, &new.email.lower()).await? {
            true => mail::account_exists(new.email, new.id),
            false => mail::sign_up_code(new.email, new.id, code, &self.links),
        };
        store::mails::insert(&mut tx, &letter).await?;
        tx.commit().await?;
        Ok(expire_time)
    }

    /// Creates the account of a sign-up, and its first session.
    pub async fn verify_sign_up(
        &self,
        context: &RequestContext,
        id: SignUpId,
        code: &SecretString,
    ) -> Result<(UserId, Tokens), Error> {
        self.admit(&[Bucket::address(context.origin.address)]).await?;
        let given = code::hash(id, code);
        let granted = retry("verify_sign_up", || self.verify_sign_up_once(context, id, &given)).await?;
        let granted = granted.ok_or(Error::CodeInvalid)?;
        Ok((granted.session.user, self.sign_tokens(granted)?))
    }

    /// None if the code is not valid; a wrong try is committed.
    async fn verify_sign_up_once(
        &self,
        context: &RequestContext,
        id: SignUpId,
        given: &SecretHash,
    ) -> Result<Option<Granted>, Error> {
        let mut tx = self.pool.begin().await?;
        let Some(sign_up) = store::sign_ups::lock(&mut tx, id).await? else { return Ok(None) };
        let granted = match sign_up.waiting.check(given) {
            CodeCheck::Correct => create_account(&mut tx, context, id, &sign_up).await?,
            CodeCheck::Wrong => {
                store::sign_ups::set_wrong_code(&mut tx, id).await?;
                None
            }
            CodeCheck::Closed => None,
        };
        tx.commit().await?;
        Ok(granted)
    }
}

/// None if the address got an account in the meantime.
async fn create_account(
    tx: &mut PgConnection,
    context: &RequestContext,
    id: SignUpId,
    sign_up: &SignUp,
) -> Result<Option<Granted>, sqlx::Error> {
    store::sign_ups::delete(tx, id).await?;
    let SignUp { email, display_name, password_hash, .. } = sign_up;
    let user = NewUser { id: UserId::generate(), email, display_name, password_hash };
    if !store::users::insert(tx, &user, Role::Customer).await? {
        return Ok(None);
    }
    sessions::open(tx, context, user.id, Event::new("user.signed_up", user.id)).await.map(Some)
}
