//! Set-up before the service serves: a signing key, an administrator, the keys of the other services. Replicas that start at once take turns,
//! by the admin lock.

use std::sync::Arc;

use kontor_postgres::{Pool, retry};
use kontor_runtime::access::permissions_asked;
use kontor_types::SystemClock;
use kontor_types::ids::UserId;
use secrecy::{ExposeSecret, SecretString};
use sqlx::PgConnection;
use tokio::sync::Notify;

use super::access_tokens::AccessTokens;
use super::key_ring::KeyRing;
use super::keys::{Keys, read_ring};
use super::passwords::Passwords;
use super::revocation_feed::RevocationFeed;
use super::{Auth, Error, OnUpdate, SetupError};
use crate::config::Config;
use crate::domain::email::Email;
use crate::domain::links::Links;
use crate::domain::password;
use crate::domain::roles::{self, Role};
use crate::domain::seal::KeyEncryptionKey;
use crate::domain::service_key::ServiceKey;
use crate::domain::signing_key::SealedKey;
use crate::store;
use crate::store::users::NewUser;

struct Administrator {
    email: Email,
    password_hash: String,
}

impl Auth {
    /// Adds the rows that are missing, and builds the operations. `revocation_pool` serves only the polls that `on_update` is called after.
    pub async fn set_up(
        config: &Config,
        [pool, revocation_pool]: [Pool; 2],
        on_update: OnUpdate,
    ) -> Result<Self, SetupError> {
        roles::check(&permissions_asked())?;
        let kek = KeyEncryptionKey::parse(&config.key_encryption_key).map_err(SetupError::KeyEncryptionKey)?;
        let links = Links::parse(config.link_origin()).map_err(SetupError::LinkOrigin)?;
        let service_keys = parse_service_keys(&config.service_keys)?;
        let passwords = Passwords::new(config.password_cost).map_err(Error::from)?;
        let administrator = administrator(config, &pool, &passwords).await?;
        let schedule = config.schedule();
        let rows = Rows { keys: Keys { kek: &kek, schedule, new: new_key(&kek)? }, administrator, service_keys };
        let ring = retry("set_up", || rows.insert(&pool)).await?;

        let auth = Self {
            pool,
            passwords: Arc::new(passwords),
            access_tokens: Arc::new(AccessTokens::new(&config.issuer, ring, Arc::new(SystemClock))),
            kek: Arc::new(kek),
            trusted_proxies: config.trusted_proxies.as_slice().into(),
            schedule,
            clock: Arc::new(SystemClock),
            links,
            mail_queued: Arc::new(Notify::new()),
            revoked: Arc::new(Notify::new()),
            feed: Arc::new(RevocationFeed::new(revocation_pool, on_update)),
        };
        auth.poll_revocations().await?;
        Ok(auth)
    }
}

fn parse_service_keys(keys: &[SecretString]) -> Result<Vec<ServiceKey>, SetupError> {
    let given = keys.iter().filter(|key| !key.expose_secret().is_empty());
    Ok(given.map(ServiceKey::parse).collect::<Result<_, _>>()?)
}

fn new_key(kek: &KeyEncryptionKey) -> Result<SealedKey, SetupError> {
    SealedKey::generate(kek).map_err(SetupError::SigningKey)
}

/// The administrator in the settings, checked. None if there is one already, so that no password is hashed for nothing.
async fn administrator(
    config: &Config,
    pool: &Pool,
    passwords: &Passwords,
) -> Result<Option<Administrator>, SetupError> {
    let Some((email, password)) = named_administrator(config)? else { return Ok(None) };
    let mut conn = pool.acquire().await?;
    if store::bindings::any_with_role(&mut conn, Role::Administrator.name()).await? {
        return Ok(None);
    }
    drop(conn);
    let password_hash = passwords.hash(passwords.acquire()?, password).await?;
    Ok(Some(Administrator { email, password_hash }))
}

fn named_administrator(config: &Config) -> Result<Option<(Email, SecretString)>, SetupError> {
    let email = config.admin_email.as_deref().filter(|email| !email.is_empty());
    let password = config.admin_password.as_ref().filter(|password| !password.expose_secret().is_empty());
    match (email, password) {
        (None, None) => Ok(None),
        (Some(email), Some(password)) => {
            let email = Email::parse(email).map_err(SetupError::AdminEmail)?;
            password::check(password, &email, false).map_err(SetupError::AdminPassword)?;
            Ok(Some((email, password.clone())))
        }
        (Some(_), None) | (None, Some(_)) => Err(SetupError::HalfAnAdministrator),
    }
}

/// The rows that are added if they are missing.
struct Rows<'a> {
    keys: Keys<'a>,
    administrator: Option<Administrator>,
    service_keys: Vec<ServiceKey>,
}

impl Rows<'_> {
    async fn insert(&self, pool: &Pool) -> Result<KeyRing, SetupError> {
        let mut tx = pool.begin().await?;
        store::setup::lock(&mut tx).await?;
        let ring = self.signing_keys(&mut tx).await?;
        if let Some(administrator) = &self.administrator {
            insert_administrator(&mut tx, administrator).await?;
        }
        for key in &self.service_keys {
            insert_service_key(&mut tx, key).await?;
        }
        tx.commit().await?;
        Ok(ring)
    }

    /// The keys in the database, or a first one. If keys exist and none opens, none is added: the key-encryption key is the wrong one.
    async fn signing_keys(&self, tx: &mut PgConnection) -> Result<KeyRing, SetupError> {
        let ring = read_ring(tx, self.keys.kek, None).await?;
        if ring.signer().is_some() {
            return Ok(ring);
        }
        if let Some(why) = ring.into_refusal() {
            return Err(SetupError::SigningKey(why));
        }
        self.keys.rotate(tx, &[], false).await?;
        Ok(read_ring(tx, self.keys.kek, None).await?)
    }
}

/// Adds a key of one of Kontor's own services. An operator's account of that name is not promoted: others hold its keys.
async fn insert_service_key(tx: &mut PgConnection, key: &ServiceKey) -> Result<(), SetupError> {
    store::service_accounts::insert_built_in(tx, &key.account).await?;
    let account = store::service_accounts::find(tx, &key.account).await?;
    if !account.is_some_and(|account| account.built_in) {
        return Err(SetupError::ServiceAccountTaken(key.account.clone()));
    }
    Ok(store::service_keys::insert_known(tx, key).await?)
}

/// Adds the administrator, unless a replica has just done so. An existing account is not promoted: its password was chosen by its owner.
async fn insert_administrator(tx: &mut PgConnection, new: &Administrator) -> Result<(), SetupError> {
    if store::bindings::any_with_role(tx, Role::Administrator.name()).await? {
        return Ok(());
    }
    let Administrator { email, password_hash } = new;
    let user = NewUser { id: UserId::generate(), email, display_name: "Administrator", password_hash };
    match store::users::insert(tx, &user, Role::Administrator).await? {
        true => Ok(()),
        false => Err(SetupError::AdminEmailTaken),
    }
}
