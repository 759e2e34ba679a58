//! The signing keys: told, and rotated by schedule or command.

use kontor_postgres::retry;
use kontor_runtime::fault::chain;
use sqlx::PgConnection;

use super::key_ring::KeyRing;
use super::{Auth, Error, Who, feed};
use crate::domain::audit::Event;
use crate::domain::key_life::{Life, Rotation, Schedule, State};
use crate::domain::seal::KeyEncryptionKey;
use crate::domain::signing_key::SealedKey;
use crate::store;

/// A key as operators see it.
#[derive(Clone, Debug)]
pub(crate) struct SigningKey {
    pub(crate) life: Life,
    pub(crate) state: State,
}

/// What a new key is made with.
pub(super) struct Keys<'a> {
    pub(super) kek: &'a KeyEncryptionKey,
    pub(super) schedule: Schedule,
    /// The key, in case one is wanted.
    pub(super) new: SealedKey,
}

/// The keys as the database shows them.
pub(super) async fn read_ring(
    conn: &mut PgConnection,
    kek: &KeyEncryptionKey,
    before: Option<&KeyRing>,
) -> Result<KeyRing, sqlx::Error> {
    let now = store::setup::now(conn).await?;
    Ok(KeyRing::open(&store::signing_keys::list(conn).await?, now, kek, before))
}

impl Keys<'_> {
    /// Makes a key that follows these, unless one waits. The caller holds the lock of the set-up. Answers the key, and
    /// whether it is new.
    pub(super) async fn rotate(
        &self,
        tx: &mut PgConnection,
        lives: &[Life],
        compromised: bool,
    ) -> Result<(String, bool), sqlx::Error> {
        let now = store::setup::now(tx).await?;
        match self.schedule.rotate(lives, now, compromised) {
            Rotation::Waits(kid) => Ok((kid, false)),
            Rotation::New { activate_time, retire_time } => {
                let kid = self.new.public.kid.clone();
                let life = Life { kid: kid.clone(), create_time: now, activate_time, retire_time: None };
                store::signing_keys::insert(tx, &self.new, &life).await?;
                store::signing_keys::set_retire_time_but(tx, &kid, retire_time).await?;
                Ok((kid, true))
            }
        }
    }
}

/// All keys that are not forgotten yet, newest first.
pub(crate) async fn list(auth: &Auth) -> Result<Vec<SigningKey>, Error> {
    Ok(read(&mut *auth.pool.acquire().await?, auth).await?)
}

/// Those that do not open are not ours, and nobody verifies with them.
async fn read(conn: &mut PgConnection, auth: &Auth) -> Result<Vec<SigningKey>, sqlx::Error> {
    let now = store::setup::now(conn).await?;
    let stored = store::signing_keys::list(conn).await?;
    let ring = KeyRing::open(&stored, now, &auth.kek, Some(&auth.access_tokens.ring()));
    let is_ours = |life: &Life| !life.counts(now) || ring.lives().contains(life);
    let ours = stored.into_iter().map(|stored| stored.life).filter(is_ours);
    Ok(ours.map(|life| SigningKey { state: life.state(ring.lives(), now), life }).collect())
}

/// Makes a new key, or answers the one that waits already.
pub(crate) async fn rotate(auth: &Auth, who: &Who, compromised: bool) -> Result<SigningKey, Error> {
    let new = SealedKey::generate(&auth.kek).map_err(Error::SigningKey)?;
    let keys = Keys { kek: &auth.kek, schedule: auth.schedule, new };
    let key = retry("rotate the signing key", || try_rotate(auth, &keys, who, compromised)).await?;
    tell(auth).await;
    Ok(key)
}

async fn try_rotate(auth: &Auth, keys: &Keys<'_>, who: &Who, compromised: bool) -> Result<SigningKey, Error> {
    let mut tx = auth.pool.begin().await?;
    store::setup::lock(&mut tx).await?;
    let ring = read_ring(&mut tx, &auth.kek, Some(&auth.access_tokens.ring())).await?;
    let (kid, is_new) = keys.rotate(&mut tx, ring.lives(), compromised).await?;
    if is_new {
        store::audit::insert(&mut tx, who, &event(&kid, compromised)).await?;
    }
    let key = read(&mut tx, auth).await?.into_iter().find(|key| key.life.kid == kid);
    tx.commit().await?;
    key.ok_or_else(|| Error::NotFound(format!("signingKeys/{kid}")))
}

fn event(kid: &str, compromised: bool) -> Event {
    Event::new("signing_key.rotated", format!("signingKeys/{kid}")).with("compromised", compromised)
}

/// Makes a new key if it is time to.
pub(crate) async fn rotate_if_due(auth: &Auth) -> Result<(), Error> {
    let ring = auth.access_tokens.ring();
    if !auth.schedule.is_due(ring.lives(), ring.now()) {
        return Ok(());
    }
    let new = SealedKey::generate(&auth.kek).map_err(Error::SigningKey)?;
    let keys = Keys { kek: &auth.kek, schedule: auth.schedule, new };
    retry("rotate the signing key by schedule", || try_rotate_if_due(auth, &keys)).await?;
    tell(auth).await;
    Ok(())
}

/// Decides anew, under the lock: another replica may have been faster.
async fn try_rotate_if_due(auth: &Auth, keys: &Keys<'_>) -> Result<(), Error> {
    let mut tx = auth.pool.begin().await?;
    store::setup::lock(&mut tx).await?;
    let ring = read_ring(&mut tx, &auth.kek, Some(&auth.access_tokens.ring())).await?;
    if auth.schedule.is_due(ring.lives(), ring.now()) {
        let (kid, _) = keys.rotate(&mut tx, ring.lives(), false).await?;
        store::audit::insert_as(&mut tx, "system", &Who::default(), &event(&kid, false)).await?;
        tracing::info!(kid, "a new signing key was made");
    }
    Ok(tx.commit().await?)
}

/// The keys are there; if they can't be read just now, they will be soon.
async fn tell(auth: &Auth) {
    if let Err(error) = feed::poll(auth).await {
        tracing::warn!(error = %chain(&error), "the new signing key could not be read yet");
    }
}
