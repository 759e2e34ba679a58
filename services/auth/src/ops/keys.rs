//! Signing keys: listing them, and rotating them by schedule or by command.

use kontor_postgres::retry;
use kontor_runtime::fault::chain;
use sqlx::PgConnection;

use super::key_ring::KeyRing;
use super::{Auth, Error, RequestContext};
use crate::domain::audit::Event;
use crate::domain::key_life::{Life, Rotation, Schedule, SigningKey};
use crate::domain::seal::KeyEncryptionKey;
use crate::domain::signing_key::SealedKey;
use crate::store;

pub(super) struct Keys<'a> {
    pub(super) kek: &'a KeyEncryptionKey,
    pub(super) schedule: Schedule,
    /// Added if the rotation needs it.
    pub(super) new: SealedKey,
}

pub(super) async fn read_ring(
    conn: &mut PgConnection,
    kek: &KeyEncryptionKey,
    before: Option<&KeyRing>,
) -> Result<KeyRing, sqlx::Error> {
    let now = store::setup::now(conn).await?;
    Ok(KeyRing::open(&store::signing_keys::list(conn).await?, now, kek, before))
}

impl Keys<'_> {
    /// Adds a successor of these keys, unless one is published already. The caller holds the lock of the set-up. Returns the id of the
    /// successor, and whether it is new.
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

impl Auth {
    /// All keys that are not deleted yet, newest first.
    pub async fn list_signing_keys(&self) -> Result<Vec<SigningKey>, Error> {
        Ok(self.read_signing_keys(&mut *self.pool.acquire().await?).await?)
    }

    /// Leaves out keys that do not open under the key-encryption key: verifiers are never told of them.
    async fn read_signing_keys(&self, conn: &mut PgConnection) -> Result<Vec<SigningKey>, sqlx::Error> {
        let now = store::setup::now(conn).await?;
        let stored = store::signing_keys::list(conn).await?;
        let ring = KeyRing::open(&stored, now, &self.kek, Some(&self.access_tokens.ring()));
        let is_ours = |life: &Life| !life.counts(now) || ring.lives().contains(life);
        let ours = stored.into_iter().map(|stored| stored.life).filter(is_ours);
        Ok(ours.map(|life| SigningKey { state: life.state(ring.lives(), now), life }).collect())
    }

    /// Adds a signing key, or returns the one that is published already.
    pub async fn rotate_signing_key(&self, context: &RequestContext, compromised: bool) -> Result<SigningKey, Error> {
        let keys = self.new_keys()?;
        let key = retry("rotate_signing_key", || self.rotate_signing_key_once(&keys, context, compromised)).await?;
        self.reload_signing_keys().await;
        Ok(key)
    }

    async fn rotate_signing_key_once(
        &self,
        keys: &Keys<'_>,
        context: &RequestContext,
        compromised: bool,
    ) -> Result<SigningKey, Error> {
        let mut tx = self.pool.begin().await?;
        let ring = self.lock_ring(&mut tx).await?;
        let (kid, is_new) = keys.rotate(&mut tx, ring.lives(), compromised).await?;
        if is_new {
            store::audit::insert(&mut tx, context, &event(&kid, compromised)).await?;
        }
        let key = self.read_signing_keys(&mut tx).await?.into_iter().find(|key| key.life.kid == kid);
        tx.commit().await?;
        key.ok_or_else(|| Error::NotFound(format!("signingKeys/{kid}")))
    }

    /// Adds a signing key if the schedule says so.
    pub async fn rotate_signing_key_if_due(&self) -> Result<(), Error> {
        let ring = self.access_tokens.ring();
        if !self.schedule.is_due(ring.lives(), ring.now()) {
            return Ok(());
        }
        let keys = self.new_keys()?;
        retry("rotate_signing_key_if_due", || self.rotate_signing_key_if_due_once(&keys)).await?;
        self.reload_signing_keys().await;
        Ok(())
    }

    /// Decides again under the lock: another replica may have rotated in the meantime.
    async fn rotate_signing_key_if_due_once(&self, keys: &Keys<'_>) -> Result<(), Error> {
        let mut tx = self.pool.begin().await?;
        let ring = self.lock_ring(&mut tx).await?;
        if self.schedule.is_due(ring.lives(), ring.now()) {
            let (kid, _) = keys.rotate(&mut tx, ring.lives(), false).await?;
            store::audit::insert_as(&mut tx, "system", &RequestContext::default(), &event(&kid, false)).await?;
            tracing::info!(kid, "signing key rotated by schedule");
        }
        Ok(tx.commit().await?)
    }

    fn new_keys(&self) -> Result<Keys<'_>, Error> {
        let new = SealedKey::generate(&self.kek).map_err(Error::SigningKey)?;
        Ok(Keys { kek: &self.kek, schedule: self.schedule, new })
    }

    /// The keys, read under the lock of the set-up.
    async fn lock_ring(&self, tx: &mut PgConnection) -> Result<KeyRing, sqlx::Error> {
        store::setup::lock(tx).await?;
        read_ring(tx, &self.kek, Some(&self.access_tokens.ring())).await
    }

    /// Reads the new key at once. A failure is only logged: the worker reads again soon.
    async fn reload_signing_keys(&self) {
        if let Err(error) = self.poll_revocations().await {
            tracing::warn!(error = %chain(&error), "new signing key not read yet");
        }
    }
}

fn event(kid: &str, compromised: bool) -> Event {
    Event::new("signing_key.rotated", format!("signingKeys/{kid}")).with("compromised", compromised)
}
