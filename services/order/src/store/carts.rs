//! The tables `carts` and `cart_items`.

use chrono::{DateTime, Utc};
use kontor_types::Currency;
use kontor_types::ids::{OrderId, ProductId, UserId, VariantName};
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::rows::{AddressRow, inconsistent};
use crate::domain::cart::{Address, Cart, CartId, Item};

/// The columns that are read, by name: a statement keeps its shape when a migration adds a column.
macro_rules! columns {
    () => {
        "id, user_id, currency, email, shipping_address, order_id, create_time, update_time"
    };
}

kontor_postgres::from_row! {
    struct CartRow {
        id: String,
        user_id: Option<Uuid>,
        currency: String,
        email: String,
        shipping_address: Option<Json<AddressRow>>,
        order_id: Option<Uuid>,
        create_time: DateTime<Utc>,
        update_time: DateTime<Utc>,
    }
}

impl TryFrom<CartRow> for Cart {
    type Error = sqlx::Error;

    fn try_from(row: CartRow) -> Result<Self, sqlx::Error> {
        let id = CartId::from_name(&format!("carts/{}", row.id));
        let id = id.ok_or_else(|| inconsistent("carts.id", "a cart", "is no id"))?;
        Ok(Self {
            currency: Currency::from_code(&row.currency).map_err(|e| inconsistent("carts.currency", "a cart", e))?,
            id,
            user: row.user_id.map(UserId),
            email: row.email,
            shipping_address: row.shipping_address.map(|address| address.0.into()),
            order: row.order_id.map(OrderId),
            items: Vec::new(),
            create_time: row.create_time,
            update_time: row.update_time,
        })
    }
}

/// Adds an empty cart.
pub async fn insert(
    conn: &mut PgConnection,
    id: &CartId,
    user: Option<UserId>,
    currency: Currency,
    contact: (&str, Option<&Address>),
) -> Result<Cart, sqlx::Error> {
    let row: CartRow = sqlx::query_as(concat!(
        "INSERT INTO carts (id, user_id, currency, email, shipping_address) VALUES ($1, $2, $3, $4, \
             $5) RETURNING ",
        columns!()
    ))
    .bind(id.as_str())
    .bind(user.map(|user| user.0))
    .bind(currency.code())
    .bind(contact.0)
    .bind(contact.1.map(|address| Json(AddressRow::from(address))))
    .fetch_one(conn)
    .await?;
    row.try_into()
}

/// A cart with its items.
pub async fn find(conn: &mut PgConnection, id: &CartId) -> Result<Option<Cart>, sqlx::Error> {
    let row: Option<CartRow> = sqlx::query_as(concat!("SELECT ", columns!(), " FROM carts WHERE id = $1"))
        .bind(id.as_str())
        .fetch_optional(&mut *conn)
        .await?;
    with_items(conn, row).await
}

/// Like [`find`], and nobody else changes the cart until the transaction ends.
pub async fn lock(conn: &mut PgConnection, id: &CartId) -> Result<Option<Cart>, sqlx::Error> {
    let row: Option<CartRow> = sqlx::query_as(concat!("SELECT ", columns!(), " FROM carts WHERE id = $1 FOR UPDATE"))
        .bind(id.as_str())
        .fetch_optional(&mut *conn)
        .await?;
    with_items(conn, row).await
}

async fn with_items(conn: &mut PgConnection, row: Option<CartRow>) -> Result<Option<Cart>, sqlx::Error> {
    let Some(row) = row else { return Ok(None) };
    let mut cart = Cart::try_from(row)?;
    let items: Vec<(Uuid, Uuid, i32)> = sqlx::query_as(
        "SELECT product_id, variant_id, quantity FROM cart_items WHERE cart_id = $1 ORDER BY add_time, variant_id",
    )
    .bind(cart.id.as_str())
    .fetch_all(conn)
    .await?;
    let item = |(product, id, quantity)| Item { variant: VariantName { product: ProductId(product), id }, quantity };
    cart.items = items.into_iter().map(item).collect();
    Ok(Some(cart))
}

/// Sets how many units of a variant are in a cart: more than zero.
pub async fn set_item(conn: &mut PgConnection, id: &CartId, item: &Item) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO cart_items (cart_id, product_id, variant_id, quantity) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (cart_id, variant_id) DO UPDATE SET quantity = excluded.quantity",
    )
    .bind(id.as_str())
    .bind(item.variant.product.0)
    .bind(item.variant.id)
    .bind(item.quantity)
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes a variant out of a cart, if it is in it.
pub async fn delete_item(conn: &mut PgConnection, id: &CartId, variant: VariantName) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM cart_items WHERE cart_id = $1 AND variant_id = $2")
        .bind(id.as_str())
        .bind(variant.id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Replaces who buys and where it goes, of a locked cart.
pub async fn set_contact(
    conn: &mut PgConnection,
    id: &CartId,
    email: &str,
    address: Option<&Address>,
) -> Result<(), sqlx::Error> {
    let result = sqlx::query("UPDATE carts SET email = $2, shipping_address = $3, update_time = now() WHERE id = $1")
        .bind(id.as_str())
        .bind(email)
        .bind(address.map(|address| Json(AddressRow::from(address))))
        .execute(conn)
        .await?;
    kontor_postgres::ensure_affected(&result, 1)
}

/// Notes that the cart changed.
pub async fn touch(conn: &mut PgConnection, id: &CartId) -> Result<(), sqlx::Error> {
    let result =
        sqlx::query("UPDATE carts SET update_time = now() WHERE id = $1").bind(id.as_str()).execute(conn).await?;
    kontor_postgres::ensure_affected(&result, 1)
}

/// Ties a cart to its order, or opens it again.
pub async fn set_order(conn: &mut PgConnection, id: &CartId, order: Option<OrderId>) -> Result<(), sqlx::Error> {
    let result = sqlx::query("UPDATE carts SET order_id = $2, update_time = now() WHERE id = $1")
        .bind(id.as_str())
        .bind(order.map(|order| order.0))
        .execute(conn)
        .await?;
    kontor_postgres::ensure_affected(&result, 1)
}
