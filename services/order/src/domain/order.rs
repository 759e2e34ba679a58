//! Orders: the snapshot that is accepted, and where it stands.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use kontor_types::Money;
use kontor_types::ids::{OrderId, UserId, VariantName};

use super::cart::{Address, CartId, PricedCart, Refusal, Shortage, admit};

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Accepted; on its way.
    Processing,
    /// Delivered from stock, and paid.
    Completed,
    /// Come to nothing.
    Rejected,
}

/// Where its payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentState {
    /// On its way.
    Pending,
    /// Collected.
    Captured,
    /// Refused by the provider.
    Declined,
    /// Nothing was collected.
    Voided,
}

/// What people call an order: `K-7F3K-92QD`, eight digits of Crockford's base 32.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderNumber(pub String);

impl OrderNumber {
    /// From 40 random bits. Numbers are no secrets; that no two are the same is the database's to see.
    pub fn from_random(bits: u64) -> Self {
        const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let digit = |place: u32| DIGITS[((bits >> (5 * place)) & 31) as usize] as char;
        let (first, second): (String, String) = ((0..4).map(digit).collect(), (4..8).map(digit).collect());
        Self(format!("K-{first}-{second}"))
    }
}

impl fmt::Display for OrderNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Units of a variant in an order, as it was when the order was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Which variant.
    pub variant: VariantName,
    /// The product's title.
    pub title: String,
    /// The stock-keeping unit; may be empty.
    pub sku: String,
    /// What sets the variant apart.
    pub options: BTreeMap<String, String>,
    /// How many units.
    pub quantity: i32,
    /// The price of one.
    pub unit_price: Money,
    /// The price of all.
    pub total: Money,
}

/// Why an order came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// Others were faster.
    OutOfStock(Vec<Shortage>),
    /// The provider refused, with its code.
    PaymentDeclined(String),
}

/// What an order is made of when it is accepted. It never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The cart that it was.
    pub cart: CartId,
    /// Who bought; none for a guest.
    pub user: Option<UserId>,
    /// Where to write to the buyer.
    pub email: String,
    /// Where the goods go.
    pub shipping_address: Option<Address>,
    /// What was bought.
    pub lines: Vec<Line>,
    /// What it costs.
    pub total: Money,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// What people call it.
    pub number: OrderNumber,
    /// What was accepted.
    pub snapshot: Snapshot,
    /// Where it stands.
    pub state: State,
    /// Where its payment stands.
    pub payment: PaymentState,
    /// What was collected, in minor units.
    pub captured: Money,
    /// Why it came to nothing, if it did.
    pub rejection: Option<Rejection>,
    /// Counts its events from 1.
    pub version: i64,
    /// When it was accepted.
    pub create_time: DateTime<Utc>,
    /// When its state last changed.
    pub update_time: DateTime<Utc>,
}

/// Why a cart can't become an order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAcceptable {
    /// Nothing is in it.
    #[error("the cart is empty")]
    Empty,
    /// A variant can't be bought, or not so many of it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It costs something else than the buyer agreed to.
    #[error("the total is {0}, not the expected one")]
    TotalChanged(Money),
}

/// Turns a priced cart into what will be ordered, if the buyer agreed to its total and all of it can be bought.
pub fn accept(cart: PricedCart, buyer: Option<UserId>, expected: Money) -> Result<Snapshot, NotAcceptable> {
    if cart.items.is_empty() {
        return Err(NotAcceptable::Empty);
    }
    let mut lines = Vec::with_capacity(cart.items.len());
    let mut short = Vec::new();
    for priced in cart.items {
        let (item, variant) = (priced.item, priced.item.variant);
        let offer = priced.offer.ok_or(Refusal::NotForSale(variant))?;
        match admit(&offer, item.quantity, cart.cart.currency) {
            Ok(()) => {}
            Err(Refusal::TooFew(lines)) => short.extend(lines),
            Err(refusal) => return Err(refusal.into()),
        }
        let total = priced.total.ok_or(Refusal::NotForSale(variant))?;
        let (title, sku, options, unit_price) = (offer.title, offer.sku, offer.options, offer.price);
        lines.push(Line { variant, title, sku, options, quantity: item.quantity, unit_price, total });
    }
    if cart.total != expected {
        return Err(NotAcceptable::TotalChanged(cart.total));
    }
    if !short.is_empty() {
        return Err(Refusal::TooFew(short).into());
    }
    let user = cart.cart.user.or(buyer);
    let (email, shipping_address) = (cart.cart.email, cart.cart.shipping_address);
    Ok(Snapshot { cart: cart.cart.id, user, email, shipping_address, lines, total: cart.total })
}
