//! Reading products and variants.

use kontor_types::{Page, PageSize, PageToken};

use super::{Catalog, Error};
use crate::domain::product::{Product, Status, Variant};
use crate::domain::reference::{ProductRef, VariantRef};
use crate::store;

impl Catalog {
    /// A page of the active products.
    pub async fn list_products(&self, after: Option<PageToken>, size: PageSize) -> Result<Page<Product>, Error> {
        let mut conn = self.pool.acquire().await?;
        let products = store::products::list_active(&mut conn, after, size.get() + 1).await?;
        Ok(Page::cut(products, size, |product| PageToken { after: product.id.0 }))
    }

    /// One product; others than active ones only for those who see all.
    pub async fn get_product(&self, product: &ProductRef, name: &str, sees_all: bool) -> Result<Product, Error> {
        let mut conn = self.pool.acquire().await?;
        let found = store::products::find(&mut conn, product).await?;
        let seen = found.filter(|product| sees_all || product.content.status == Status::Active);
        seen.ok_or_else(|| Error::NotFound(name.into()))
    }

    /// Variants in the order asked for, with the names that the caller used for them; others than those for sale only for
    /// those who see all.
    pub async fn get_variants(&self, wanted: &[(VariantRef, String)], sees_all: bool) -> Result<Vec<Variant>, Error> {
        let ids: Vec<_> = wanted.iter().map(|(variant, _)| variant.id).collect();
        let mut conn = self.pool.acquire().await?;
        let found = store::variants::list_by_id(&mut conn, &ids).await?;
        let get = |(wanted, name): &(VariantRef, String)| {
            let variant = found.iter().find(|found| {
                let product = &wanted.product;
                found.variant.name.id == wanted.id
                    && (sees_all || found.variant.for_sale)
                    && product.as_ref().is_none_or(|p| p.names(found.variant.name.product, &found.handle))
            });
            variant.map(|found| found.variant.clone()).ok_or_else(|| Error::NotFound(name.clone()))
        };
        wanted.iter().map(get).collect()
    }

    pub(super) async fn get_variant(&self, variant: &VariantRef, name: &str, sees_all: bool) -> Result<Variant, Error> {
        let found = self.get_variants(&[(variant.clone(), name.to_owned())], sees_all).await?;
        found.into_iter().next().ok_or_else(|| Error::NotFound(name.into()))
    }
}
