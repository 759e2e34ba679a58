//! Reading stock, and changing it by hand.

use kontor_postgres::idempotency::{self, Key, Seen};
use kontor_postgres::retry;
use kontor_types::ids::VariantName;

use super::{Catalog, Error};
use crate::domain::inventory::{MovementReason, Stock};
use crate::domain::product::Variant;
use crate::domain::reference::VariantRef;
use crate::events;
use crate::store;

/// The largest stock: beyond that somebody mistyped.
const ON_HAND_MAX: i64 = 1_000_000_000_000;

/// A change of stock by hand.
#[derive(Clone, Debug)]
pub struct AdjustStock {
    /// Whose stock, as the caller named it.
    pub variant: VariantRef,
    /// The name as the caller wrote it.
    pub name: String,
    /// Units to add, or to take away.
    pub delta: i64,
    /// Why.
    pub reason: MovementReason,
    /// By what a repetition is recognised.
    pub key: Option<Key>,
}

impl Catalog {
    /// The stock of one variant; of others than those for sale only for those who see all.
    pub async fn get_stock(&self, variant: &VariantRef, name: &str, sees_all: bool) -> Result<Stock, Error> {
        let variant = self.get_variant(variant, name, sees_all).await?;
        let mut conn = self.pool.acquire().await?;
        let stock = store::stock::find(&mut conn, variant.name).await?;
        stock.ok_or_else(|| Error::NotFound(name.into()))
    }

    /// Adds units, or takes away units that no order holds.
    pub async fn adjust_stock(&self, change: &AdjustStock) -> Result<Stock, Error> {
        let variant = self.get_variant(&change.variant, &change.name, true).await?;
        retry("adjust_stock", || self.adjust_once(change, &variant)).await
    }

    async fn adjust_once(&self, change: &AdjustStock, variant: &Variant) -> Result<Stock, Error> {
        let mut tx = self.pool.begin().await?;
        if let Some(stock) = answered(&mut tx, change, variant.name).await? {
            return Ok(stock);
        }
        let Some(stock) = store::stock::adjust(&mut tx, variant.name, change.delta).await? else {
            // Perhaps because the same call, sent twice at once, took them a moment ago.
            if let Some(stock) = answered(&mut tx, change, variant.name).await? {
                return Ok(stock);
            }
            let stock = store::stock::find(&mut tx, variant.name).await?;
            let available = stock.map_or(0, |stock| stock.available());
            return Err(Error::TooFewUnits { variant: variant.name, sku: variant.content.sku.clone(), available });
        };
        if stock.on_hand > ON_HAND_MAX {
            return Err(Error::TooManyUnits);
        }
        store::movements::insert(&mut tx, &[(variant.name.id, change.delta)], change.reason, "").await?;
        if let Some(key) = &change.key {
            let first = idempotency::insert(&mut tx, key, &events::stock_bytes(&stock)).await?;
            if !first {
                tx.rollback().await?;
                let mut conn = self.pool.begin().await?;
                return answered(&mut conn, change, variant.name).await?.ok_or(Error::KeyReused);
            }
        }
        tx.commit().await?;
        Ok(stock)
    }
}

/// The answer that the same call got before.
async fn answered(
    conn: &mut sqlx::PgConnection,
    change: &AdjustStock,
    variant: VariantName,
) -> Result<Option<Stock>, Error> {
    let Some(key) = &change.key else { return Ok(None) };
    match idempotency::find(conn, key).await? {
        Seen::Never => Ok(None),
        Seen::Answered(bytes) => {
            tracing::info!(request_id = %key.request_id, "a call was repeated");
            Ok(events::stock_from_bytes(&bytes, variant))
        }
        Seen::Otherwise => Err(Error::KeyReused),
    }
}
