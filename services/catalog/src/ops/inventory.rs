//! Reading stock, and changing it by hand.

use kontor_postgres::idempotency::{Key, insert_or_replay, replay};
use kontor_postgres::retry;

use super::{Catalog, Error};
use crate::domain::inventory::{MovementReason, Stock};
use crate::domain::product::Variant;
use crate::domain::reference::VariantRef;
use crate::store;

/// The largest stock: beyond that somebody mistyped.
const ON_HAND_MAX: i64 = 1_000_000_000_000;

/// A change of stock by hand.
#[derive(Clone, Debug)]
pub struct AdjustStock {
    pub variant: VariantRef,
    pub name: String,
    /// Units to add, or to take away.
    pub delta: i64,
    pub reason: MovementReason,
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
        let (mut tx, key) = (self.pool.begin().await?, change.key.as_ref());
        if let Some(stock) = replay(&mut tx, key).await? {
            return Ok(stock);
        }
        let Some(stock) = store::stock::adjust(&mut tx, variant.name, change.delta).await? else {
            // Perhaps because the same call, sent twice at once, took them a moment ago.
            if let Some(stock) = replay(&mut tx, key).await? {
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
        if let Some(first) = insert_or_replay(&mut tx, key, &stock).await? {
            return Ok(first);
        }
        tx.commit().await?;
        Ok(stock)
    }
}
