//! One product of a file, written in one transaction: product, variants, stock, ledger and event, or nothing.

use kontor_postgres::{Transient, retry};
use kontor_types::ids::{ProductId, new_uuid};
use sqlx::PgConnection;

use super::skus;
use crate::domain::import::plan::{self, Placed, Plan};
use crate::domain::import::{self, Issue, Loaded, ProductDraft};
use crate::domain::inventory::MovementReason;
use crate::domain::product::Product;
use crate::domain::reference::ProductRef;
use crate::ops::{Catalog, Error};
use crate::{events, store};

/// The constraint that keeps SKUs unique.
const SKU_TAKEN: &str = "variants_sku_key";

/// Why a product was not written.
enum Failure {
    /// It does not go together with what the catalog holds.
    Refused(Vec<Issue>),
    /// One of its SKUs went to another product since we looked.
    SkuTaken,
    Fatal(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Fatal(error)
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        let is_sku = kontor_postgres::constraint(&error) == Some(SKU_TAKEN);
        if is_sku { Self::SkuTaken } else { Self::Fatal(error.into()) }
    }
}

impl Transient for Failure {
    fn is_transient(&self) -> bool {
        match self {
            Self::Fatal(error) => error.is_transient(),
            Self::Refused(_) | Self::SkuTaken => false,
        }
    }
}

impl Catalog {
    /// Writes a product as its draft describes it.
    pub(super) async fn store_product(&self, draft: &ProductDraft) -> Result<Loaded, Error> {
        match retry("import_product", || self.store_product_once(draft)).await {
            Ok(loaded) => Ok(loaded),
            Err(Failure::Refused(issues)) => Ok(Loaded::Refused(issues)),
            Err(Failure::SkuTaken) => self.refuse_for_sku(draft).await,
            Err(Failure::Fatal(error)) => Err(error),
        }
    }

    async fn store_product_once(&self, draft: &ProductDraft) -> Result<Loaded, Failure> {
        let mut tx = self.pool.begin().await?;
        let (id, existing) = lock_or_insert(&mut tx, draft).await?;
        // Compared again: until the product was locked, others could change it.
        let whole = import::complete(draft, existing.as_ref());
        let plan = plan::plan(&whole, existing.as_ref()).map_err(Failure::Refused)?;
        if plan.is_empty() {
            return Ok(Loaded::done(&plan));
        }
        write(&mut tx, id, &whole, &plan).await?;
        tx.commit().await?;
        Ok(Loaded::done(&plan))
    }

    /// Another import was faster: names whose the SKUs are now.
    async fn refuse_for_sku(&self, draft: &ProductDraft) -> Result<Loaded, Error> {
        let wanted: Vec<&str> = skus(draft).collect();
        let mut conn = self.pool.acquire().await?;
        let owners = store::variants::list_owners(&mut conn, &wanted).await?.into_iter().collect();
        let issues = plan::foreign_skus(draft, &owners);
        Ok(Loaded::Refused(if issues.is_empty() { vec![plan::lost_sku(draft)] } else { issues }))
    }
}

/// The product of the draft's handle, locked; or a new one, which nobody else sees yet.
async fn lock_or_insert(tx: &mut PgConnection, draft: &ProductDraft) -> Result<(ProductId, Option<Product>), Failure> {
    let handle = &draft.content.handle;
    if let Some(product) = store::products::lock_by_handle(tx, handle).await? {
        return Ok((product.id, Some(product)));
    }
    let id = ProductId::generate();
    if store::products::insert(tx, id, &draft.content).await? {
        return Ok((id, None));
    }
    // Another import has just added it. Products are never deleted, so now it is there.
    let product = store::products::lock_by_handle(tx, handle).await?;
    let product = product.ok_or(sqlx::Error::RowNotFound)?;
    Ok((product.id, Some(product)))
}

async fn write(tx: &mut PgConnection, id: ProductId, draft: &ProductDraft, plan: &Plan<'_>) -> Result<(), Failure> {
    if !plan.is_new {
        store::products::set_content(tx, id, &draft.content).await?;
    }
    for placed in plan.changed.iter().chain(&plan.moved) {
        store::variants::set_content(tx, placed).await?;
    }
    add_variants(tx, id, plan).await?;
    let product = store::products::find(tx, &ProductRef::Id(id)).await?;
    let product = product.ok_or(sqlx::Error::RowNotFound)?;
    Ok(events::append_product(tx, &product).await?)
}

/// Adds the new variants with their stock, and writes the stock down in the ledger.
async fn add_variants(tx: &mut PgConnection, product: ProductId, plan: &Plan<'_>) -> Result<(), sqlx::Error> {
    if plan.added.is_empty() {
        return Ok(());
    }
    let (mut variants, mut stock) = (Vec::new(), Vec::new());
    for &(position, draft) in &plan.added {
        let id = new_uuid();
        variants.push(Placed { id, position, content: &draft.content });
        stock.push((id, draft.quantity));
    }
    store::variants::insert(tx, product, &variants).await?;
    store::stock::insert(tx, &stock).await?;
    stock.retain(|(_, quantity)| *quantity > 0);
    store::movements::insert(tx, &stock, MovementReason::Imported, "").await
}
