//! Loading a product file: the products are compared with those in the catalog many at a time, and each one that differs is written in a
//! transaction of its own. Loading the file again after a failure goes on where it stopped.

mod product;
mod repeat;

use std::collections::HashMap;

use bytes::Bytes;
use kontor_postgres::idempotency::Key;
use kontor_types::Currency;

use super::{Catalog, Error};
use crate::domain::import::{self, ImportReport, Loaded, ProductDraft, ProductFile, plan};
use crate::domain::product::Product;
use crate::store;

/// How many products are compared at a time.
const CHUNK: usize = 100;
/// After how many products the log hears of it.
const LOGGED_EVERY: usize = 500;

/// Whether the caller would be let in now.
pub type IsLetIn<'a> = &'a (dyn Fn() -> bool + Sync);

/// How a file is to be taken.
#[derive(Clone, Copy, Debug)]
pub struct ImportSettings {
    pub currency: Currency,
    /// Say what would be done, and do nothing.
    pub validate_only: bool,
}

/// What the catalog holds of the products of a chunk.
struct Known {
    products: HashMap<String, Product>,
    /// The handles of the products that have the chunk's SKUs, by SKU.
    owners: HashMap<String, String>,
}

impl Catalog {
    /// Loads a file in the format of Shopify's product export; with a key, the first report is given again. Loading takes a while: each
    /// product is written only if the caller is let in still.
    pub async fn import(
        &self,
        file: Bytes,
        settings: ImportSettings,
        key: Option<Key>,
        is_let_in: IsLetIn<'_>,
    ) -> Result<ImportReport, Error> {
        let file = read(file, settings.currency).await?;
        let Some(key) = key else { return self.load_all(file, settings.validate_only, is_let_in).await };
        if let Some(report) = self.begin_import(&key).await? {
            return Ok(report);
        }
        let report = self.load_all(file, settings.validate_only, is_let_in).await?;
        self.end_import(&key, report).await
    }

    async fn load_all(
        &self,
        file: ProductFile,
        validate_only: bool,
        is_let_in: IsLetIn<'_>,
    ) -> Result<ImportReport, Error> {
        let ProductFile { drafts, refused, issues } = file;
        let mut report = ImportReport::new(refused, issues);
        for (index, chunk) in drafts.chunks(CHUNK).enumerate() {
            let known = self.known(chunk).await?;
            for draft in chunk {
                if !is_let_in() {
                    return Err(Error::CallerRefused);
                }
                report.add(self.load(draft, &known, validate_only).await?);
            }
            let done = index * CHUNK + chunk.len();
            if done.is_multiple_of(LOGGED_EVERY) {
                tracing::info!(done, of = drafts.len(), "importing products");
            }
        }
        Ok(report)
    }

    async fn known(&self, drafts: &[ProductDraft]) -> Result<Known, Error> {
        let handles: Vec<&str> = drafts.iter().map(|draft| draft.content.handle.as_str()).collect();
        let mut conn = self.pool.acquire().await?;
        let products = store::products::list_by_handle(&mut conn, &handles).await?;
        let products = products.into_iter().map(|product| (product.content.handle.clone(), product)).collect();
        let skus: Vec<&str> = drafts.iter().flat_map(skus).collect();
        let owners = store::variants::list_owners(&mut conn, &skus).await?.into_iter().collect();
        Ok(Known { products, owners })
    }

    async fn load(&self, draft: &ProductDraft, known: &Known, validate_only: bool) -> Result<Loaded, Error> {
        let foreign = plan::foreign_skus(draft, &known.owners);
        if !foreign.is_empty() {
            return Ok(Loaded::Refused(foreign));
        }
        let existing = known.products.get(&draft.content.handle);
        let whole = import::complete(draft, existing);
        match plan::plan(&whole, existing) {
            Err(issues) => Ok(Loaded::Refused(issues)),
            Ok(plan) if plan.is_empty() || validate_only => Ok(Loaded::done(&plan)),
            Ok(_) => self.store_product(draft).await,
        }
    }
}

fn skus(draft: &ProductDraft) -> impl Iterator<Item = &str> {
    draft.variants.iter().filter_map(|variant| variant.content.sku.as_deref())
}

/// Reading a large file takes a while, which a thread that drives other calls has not.
async fn read(file: Bytes, currency: Currency) -> Result<ProductFile, Error> {
    match tokio::task::spawn_blocking(move || import::read(&file, currency)).await {
        Ok(read) => Ok(read?),
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_cancelled) => Err(Error::Stopping),
    }
}
