//! The table `products`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kontor_types::PageToken;
use kontor_types::ids::ProductId;
use sqlx::PgConnection;
use uuid::Uuid;

use super::variants;
use crate::domain::product::{Product, ProductContent, Status};
use crate::domain::reference::ProductRef;

/// The columns that are read, by name: a statement keeps its shape when a migration adds a column.
macro_rules! columns {
    () => {
        "id, handle, title, description, status, vendor, product_type, tags, option_names, version, \
         create_time, update_time"
    };
}

kontor_postgres::from_row! {
    struct ProductRow {
        id: Uuid,
        handle: String,
        title: String,
        description: String,
        status: String,
        vendor: String,
        product_type: String,
        tags: Vec<String>,
        option_names: Vec<String>,
        version: i64,
        create_time: DateTime<Utc>,
        update_time: DateTime<Utc>,
    }
}

impl TryFrom<ProductRow> for Product {
    type Error = sqlx::Error;

    fn try_from(row: ProductRow) -> Result<Self, sqlx::Error> {
        let content = ProductContent {
            handle: row.handle,
            title: row.title,
            description: row.description,
            status: status_from(&row.status, row.id)?,
            vendor: row.vendor,
            product_type: row.product_type,
            tags: row.tags,
            option_names: row.option_names,
        };
        let (create_time, update_time) = (row.create_time, row.update_time);
        let id = ProductId(row.id);
        Ok(Self { id, content, variants: Vec::new(), version: row.version, create_time, update_time })
    }
}

/// The active products after a page token, oldest first, with their variants.
pub async fn list_active(
    conn: &mut PgConnection,
    after: Option<PageToken>,
    limit: i64,
) -> Result<Vec<Product>, sqlx::Error> {
    let rows: Vec<ProductRow> = sqlx::query_as(concat!(
        "SELECT ",
        columns!(),
        " FROM products WHERE status = 'ACTIVE' AND id > $1 ORDER BY id LIMIT $2"
    ))
    .bind(after.map_or(Uuid::nil(), |token| token.after))
    .bind(limit)
    .fetch_all(&mut *conn)
    .await?;
    with_variants(conn, rows).await
}

/// One product, with its variants.
pub async fn find(conn: &mut PgConnection, product: &ProductRef) -> Result<Option<Product>, sqlx::Error> {
    let query = match product {
        ProductRef::Id(id) => sqlx::query_as(concat!("SELECT ", columns!(), " FROM products WHERE id = $1")).bind(id.0),
        ProductRef::Handle(handle) => {
            sqlx::query_as(concat!("SELECT ", columns!(), " FROM products WHERE handle = $1")).bind(handle)
        }
    };
    let row: Option<ProductRow> = query.fetch_optional(&mut *conn).await?;
    Ok(with_variants(conn, row.into_iter().collect()).await?.pop())
}

/// The products with these handles, in no particular order, with their variants; unknown handles are left out.
pub async fn list_by_handle(conn: &mut PgConnection, handles: &[&str]) -> Result<Vec<Product>, sqlx::Error> {
    let rows: Vec<ProductRow> = sqlx::query_as(concat!("SELECT ", columns!(), " FROM products WHERE handle = ANY($1)"))
        .bind(handles)
        .fetch_all(&mut *conn)
        .await?;
    with_variants(conn, rows).await
}

/// Like [`find`] by handle, and nobody else changes the product until the transaction ends.
pub async fn lock_by_handle(conn: &mut PgConnection, handle: &str) -> Result<Option<Product>, sqlx::Error> {
    let row: Option<ProductRow> =
        sqlx::query_as(concat!("SELECT ", columns!(), " FROM products WHERE handle = $1 FOR UPDATE"))
            .bind(handle)
            .fetch_optional(&mut *conn)
            .await?;
    Ok(with_variants(conn, row.into_iter().collect()).await?.pop())
}

/// Adds a product, without variants. False if its handle is taken.
pub async fn insert(conn: &mut PgConnection, id: ProductId, content: &ProductContent) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query(
        "INSERT INTO products (id, handle, title, description, status, vendor, product_type, tags, option_names) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (handle) DO NOTHING",
    )
    .bind(id.0)
    .bind(&content.handle)
    .bind(&content.title)
    .bind(&content.description)
    .bind(status_text(content.status))
    .bind(&content.vendor)
    .bind(&content.product_type)
    .bind(&content.tags)
    .bind(&content.option_names)
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// Replaces what the editors say of a product, counts the change, and returns the new version.
pub async fn set_content(conn: &mut PgConnection, id: ProductId, content: &ProductContent) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "UPDATE products SET handle = $2, title = $3, description = $4, status = $5, vendor = $6, product_type = $7, \
         tags = $8, option_names = $9, version = version + 1, update_time = now() WHERE id = $1 RETURNING version",
    )
    .bind(id.0)
    .bind(&content.handle)
    .bind(&content.title)
    .bind(&content.description)
    .bind(status_text(content.status))
    .bind(&content.vendor)
    .bind(&content.product_type)
    .bind(&content.tags)
    .bind(&content.option_names)
    .fetch_one(conn)
    .await
}

async fn with_variants(conn: &mut PgConnection, rows: Vec<ProductRow>) -> Result<Vec<Product>, sqlx::Error> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut products = rows.into_iter().map(Product::try_from).collect::<Result<Vec<_>, _>>()?;
    if products.is_empty() {
        return Ok(products);
    }
    let places: HashMap<ProductId, usize> = products.iter().enumerate().map(|(at, product)| (product.id, at)).collect();
    for variant in variants::list_of_products(conn, &ids).await? {
        if let Some(&place) = places.get(&variant.name.product) {
            products[place].variants.push(variant);
        }
    }
    Ok(products)
}

fn status_text(status: Status) -> &'static str {
    match status {
        Status::Draft => "DRAFT",
        Status::Active => "ACTIVE",
        Status::Archived => "ARCHIVED",
    }
}

fn status_from(text: &str, id: Uuid) -> Result<Status, sqlx::Error> {
    match text {
        "DRAFT" => Ok(Status::Draft),
        "ACTIVE" => Ok(Status::Active),
        "ARCHIVED" => Ok(Status::Archived),
        other => Err(sqlx::Error::Decode(format!("products.status of {id} is {other:?}").into())),
    }
}
