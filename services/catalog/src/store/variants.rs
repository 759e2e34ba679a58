//! The table `variants`, read together with its product and its stock.

use kontor_types::ids::{ProductId, VariantName};
use kontor_types::{Currency, Money};
use serde::Serialize;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use crate::domain::import::plan::Placed;
use crate::domain::product::{Variant, VariantContent};

kontor_postgres::from_row! {
    struct VariantRow {
        id: Uuid,
        product_id: Uuid,
        sku: Option<String>,
        price_minor: i64,
        compare_at_minor: Option<i64>,
        currency: String,
        option_values: Vec<String>,
        barcode: String,
        weight_grams: i32,
        handle: String,
        title: String,
        option_names: Vec<String>,
        for_sale: bool,
        available: i64,
    }
}

impl TryFrom<VariantRow> for Variant {
    type Error = sqlx::Error;

    fn try_from(row: VariantRow) -> Result<Self, sqlx::Error> {
        let currency = Currency::from_code(&row.currency)
            .map_err(|e| sqlx::Error::Decode(format!("variants.currency of {}: {e}", row.id).into()))?;
        let money = |minor| Money { minor, currency };
        let content = VariantContent {
            sku: row.sku,
            price: money(row.price_minor),
            compare_at: row.compare_at_minor.map(money),
            option_values: row.option_values,
            barcode: row.barcode,
            weight_grams: row.weight_grams,
        };
        Ok(Self {
            name: VariantName { product: ProductId(row.product_id), id: row.id },
            content,
            product_title: row.title,
            option_names: row.option_names,
            available: row.available,
            for_sale: row.for_sale,
        })
    }
}

/// A variant with its product's handle, by which a caller may have named it.
pub struct WithHandle {
    pub variant: Variant,
    pub handle: String,
}

/// The variants of some products, in the order to show them.
pub async fn list_of_products(conn: &mut PgConnection, products: &[Uuid]) -> Result<Vec<Variant>, sqlx::Error> {
    let rows: Vec<VariantRow> = sqlx::query_as(
        "SELECT v.id, v.product_id, v.sku, v.price_minor, v.compare_at_minor, v.currency, v.option_values, v.barcode, \
         v.weight_grams, p.handle, p.title, p.option_names, p.status = 'ACTIVE' AS for_sale, \
         coalesce(s.on_hand - s.reserved, 0) AS available \
         FROM variants v JOIN products p ON p.id = v.product_id LEFT JOIN stock s ON s.variant_id = v.id \
         WHERE v.product_id = ANY($1) ORDER BY v.product_id, v.position",
    )
    .bind(products)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Variant::try_from).collect()
}

/// The variants with these ids, in no particular order; unknown ids are left out.
pub async fn list_by_id(conn: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<WithHandle>, sqlx::Error> {
    let rows: Vec<VariantRow> = sqlx::query_as(
        "SELECT v.id, v.product_id, v.sku, v.price_minor, v.compare_at_minor, v.currency, v.option_values, v.barcode, \
         v.weight_grams, p.handle, p.title, p.option_names, p.status = 'ACTIVE' AS for_sale, \
         coalesce(s.on_hand - s.reserved, 0) AS available \
         FROM variants v JOIN products p ON p.id = v.product_id LEFT JOIN stock s ON s.variant_id = v.id \
         WHERE v.id = ANY($1)",
    )
    .bind(ids)
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| Ok(WithHandle { handle: row.handle.clone(), variant: Variant::try_from(row)? }))
        .collect()
}

/// For each of these SKUs that is taken, the handle of the product that has it.
pub async fn list_owners(conn: &mut PgConnection, skus: &[&str]) -> Result<Vec<(String, String)>, sqlx::Error> {
    sqlx::query_as(
        "SELECT v.sku, p.handle FROM variants v JOIN products p ON p.id = v.product_id WHERE v.sku = ANY($1)",
    )
    .bind(skus)
    .fetch_all(conn)
    .await
}

/// Adds variants to a product. A taken SKU violates `variants_sku_key`.
pub async fn insert(conn: &mut PgConnection, product: ProductId, variants: &[Placed<'_>]) -> Result<(), sqlx::Error> {
    // As JSON, since an array of rows can't hold arrays of its own; an import adds many variants, and a statement for
    // each would be most of its time.
    let result = sqlx::query(
        "INSERT INTO variants (id, product_id, position, sku, price_minor, compare_at_minor, currency, option_values, \
         barcode, weight_grams) \
         SELECT w.id, $1, w.position, w.sku, w.price_minor, w.compare_at_minor, w.currency, \
         ARRAY(SELECT o.value FROM jsonb_array_elements_text(w.option_values) WITH ORDINALITY AS o (value, place) \
         ORDER BY o.place), w.barcode, w.weight_grams FROM jsonb_to_recordset($2) AS w (id uuid, position integer, \
         sku text, price_minor bigint, compare_at_minor bigint, currency text, option_values jsonb, barcode text, \
         weight_grams integer)",
    )
    .bind(product.0)
    .bind(Json(variants.iter().map(NewRow::from).collect::<Vec<_>>()))
    .execute(conn)
    .await?;
    kontor_postgres::ensure_affected(&result, variants.len() as u64)
}

#[derive(Serialize)]
struct NewRow<'a> {
    id: Uuid,
    position: i32,
    sku: Option<&'a str>,
    price_minor: i64,
    compare_at_minor: Option<i64>,
    currency: &'a str,
    option_values: &'a [String],
    barcode: &'a str,
    weight_grams: i32,
}

impl<'a> From<&'a Placed<'a>> for NewRow<'a> {
    fn from(variant: &'a Placed<'a>) -> Self {
        let content = variant.content;
        Self {
            id: variant.id,
            position: variant.position,
            sku: content.sku.as_deref(),
            price_minor: content.price.minor,
            compare_at_minor: content.compare_at.map(|money| money.minor),
            currency: content.price.currency.code(),
            option_values: &content.option_values,
            barcode: &content.barcode,
            weight_grams: content.weight_grams,
        }
    }
}

/// Replaces what the editors say of a variant. A taken SKU violates `variants_sku_key`.
pub async fn set_content(conn: &mut PgConnection, variant: &Placed<'_>) -> Result<(), sqlx::Error> {
    let content = variant.content;
    let result = sqlx::query(
        "UPDATE variants SET position = $2, sku = $3, price_minor = $4, compare_at_minor = $5, currency = $6, \
         option_values = $7, barcode = $8, weight_grams = $9 WHERE id = $1",
    )
    .bind(variant.id)
    .bind(variant.position)
    .bind(content.sku.as_deref())
    .bind(content.price.minor)
    .bind(content.compare_at.map(|money| money.minor))
    .bind(content.price.currency.code())
    .bind(&content.option_values)
    .bind(&content.barcode)
    .bind(content.weight_grams)
    .execute(conn)
    .await?;
    kontor_postgres::ensure_affected(&result, 1)
}
