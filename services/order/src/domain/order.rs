//! Orders: the snapshot that is accepted, and where it stands.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use kontor_types::Money;
use kontor_types::ids::{OrderId, UserId, VariantName};

use super::cart::{Address, CartId, PricedCart, Refusal, Shortage, admit};
use super::refund::Refund;

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Accepted; on its way.
    Processing,
    Completed,
    Rejected,
    Cancelled,
}

impl State {
    /// Its name, in the contract and in tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Processing => "PROCESSING",
            Self::Completed => "COMPLETED",
            Self::Rejected => "REJECTED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// By its name.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Processing, Self::Completed, Self::Rejected, Self::Cancelled].into_iter().find(|s| s.word() == word)
    }
}

/// Where its payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentState {
    Pending,
    Captured,
    Declined,
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
    pub variant: VariantName,
    pub title: String,
    /// The stock-keeping unit; may be empty.
    pub sku: String,
    pub options: BTreeMap<String, String>,
    /// How many units.
    pub quantity: i32,
    pub unit_price: Money,
    pub total: Money,
}

/// Why an order came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    OutOfStock(Vec<Shortage>),
    /// The provider refused, with its code.
    PaymentDeclined(String),
    /// Stock and payment were not settled in time.
    NotSettled,
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfStock(short) if short.is_empty() => f.write_str("the units are not held any more"),
            Self::OutOfStock(short) => {
                let one = |s: &Shortage| format!("{} of {} left, {} ordered", s.available, s.label(), s.requested);
                f.write_str(&short.iter().map(one).collect::<Vec<_>>().join("; "))
            }
            Self::PaymentDeclined(_) => f.write_str("the payment was declined"),
            Self::NotSettled => f.write_str("stock and payment could not be settled in time"),
        }
    }
}

/// That an order was called off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancellation {
    /// Why, for people; may be empty.
    pub reason: String,
    pub create_time: DateTime<Utc>,
}

/// What an order is made of when it is accepted. It never changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub cart: CartId,
    /// Who bought; none for a guest.
    pub user: Option<UserId>,
    pub email: String,
    pub shipping_address: Option<Address>,
    pub lines: Vec<Line>,
    pub total: Money,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub id: OrderId,
    pub number: OrderNumber,
    pub snapshot: Snapshot,
    pub state: State,
    pub payment: PaymentState,
    pub captured: Money,
    pub refunded: Money,
    /// Why it came to nothing, if it did.
    pub rejection: Option<Rejection>,
    /// That it was called off, if it was.
    pub cancellation: Option<Cancellation>,
    /// What was given back or is about to be, oldest first.
    pub refunds: Vec<Refund>,
    pub version: i64,
    pub create_time: DateTime<Utc>,
    pub update_time: DateTime<Utc>,
}

impl Order {
    /// Whether this user may see it, and call it off: its buyer, or, if a guest bought, whoever knows its name.
    pub fn belongs_to(&self, user: Option<UserId>) -> bool {
        self.snapshot.user.is_none() || self.snapshot.user == user
    }
}

/// Why a cart can't become an order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAcceptable {
    #[error("the cart is empty")]
    Empty,
    /// A variant can't be bought, or not so many of it.
    #[error(transparent)]
    Refused(#[from] Refusal),
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
