//! Carts: what is in them, and what it costs today.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Utc};
use kontor_types::ids::{OrderId, UserId, VariantName};
use kontor_types::{Currency, Money, MoneyError};

/// Most different variants in one cart.
pub const ITEMS_MAX: usize = 100;

/// A cart's id: 128 random bits, which nobody can guess.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CartId(String);

impl CartId {
    /// From 128 random bits, spelled in base64url (RFC 4648, section 5).
    pub fn from_random(bits: u128) -> Self {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let digit = |place: u32| ALPHABET[((bits >> (6 * place)) & 63) as usize] as char;
        Self((0..22).map(digit).collect())
    }

    /// From a resource name, `carts/{id}`.
    pub fn from_name(name: &str) -> Option<Self> {
        let id = name.strip_prefix("carts/").filter(|id| id.len() == 22)?;
        id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_').then(|| Self(id.to_owned()))
    }

    /// The id alone.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CartId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "carts/{}", self.0)
    }
}

/// Whoever sees the whole id may use the cart, so logs see its beginning only.
impl fmt::Debug for CartId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "carts/{}…", self.0.get(..4).unwrap_or_default())
    }
}

/// A postal address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    pub region_code: String,
    pub postal_code: String,
    pub administrative_area: String,
    pub locality: String,
    pub address_lines: Vec<String>,
    pub recipients: Vec<String>,
    pub organization: String,
}

/// A cart, without prices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cart {
    pub id: CartId,
    /// Whose it is; none for a guest's.
    pub user: Option<UserId>,
    pub currency: Currency,
    pub email: String,
    pub shipping_address: Option<Address>,
    pub order: Option<OrderId>,
    pub items: Vec<Item>,
    pub create_time: DateTime<Utc>,
    pub update_time: DateTime<Utc>,
}

impl Cart {
    /// The cart with so many units of a variant in it, or none.
    #[must_use]
    pub fn with(&self, item: Item) -> Self {
        let mut cart = self.clone();
        match cart.items.iter().position(|other| other.variant == item.variant) {
            Some(position) if item.quantity == 0 => drop(cart.items.remove(position)),
            Some(position) => cart.items[position] = item,
            None if item.quantity == 0 => {}
            None => cart.items.push(item),
        }
        cart
    }

    /// A guest's cart is for whoever knows its id, a user's for that user.
    pub fn may_be_used_by(&self, user: Option<UserId>) -> bool {
        self.user.is_none() || self.user == user
    }
}

/// Units of a variant in a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    pub variant: VariantName,
    pub quantity: i32,
}

/// What the catalog says of a variant right now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    pub variant: VariantName,
    pub title: String,
    /// The stock-keeping unit; may be empty.
    pub sku: String,
    pub options: BTreeMap<String, String>,
    /// The price of one unit.
    pub price: Money,
    /// How many units could be ordered.
    pub available: i64,
    pub for_sale: bool,
}

/// An item with today's offer; without one the variant can't be bought any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricedItem {
    pub item: Item,
    /// What the catalog says; kept for the title even when it is not for sale.
    pub offer: Option<Offer>,
    /// The price of all its units, if it can be bought.
    pub total: Option<Money>,
}

/// A cart with today's prices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricedCart {
    pub cart: Cart,
    pub items: Vec<PricedItem>,
    /// What those that can be bought cost together.
    pub total: Money,
}

/// Puts today's prices to a cart.
pub fn price(cart: Cart, offers: &[Offer]) -> Result<PricedCart, MoneyError> {
    let mut total = Money::zero(cart.currency);
    let mut items = Vec::with_capacity(cart.items.len());
    for item in &cart.items {
        let offer = offers.iter().find(|offer| offer.variant == item.variant).cloned();
        let price = offer.as_ref().filter(|offer| can_be_bought(offer, cart.currency)).map(|offer| offer.price);
        let item_total = price.map(|price| price.times(item.quantity)).transpose()?;
        total = item_total.map_or(Ok(total), |amount| total.plus(amount))?;
        items.push(PricedItem { item: *item, offer, total: item_total });
    }
    Ok(PricedCart { cart, items, total })
}

fn can_be_bought(offer: &Offer, currency: Currency) -> bool {
    offer.for_sale && offer.price.currency == currency
}

/// Why a variant can't go into a cart, or an order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("{0} is not for sale")]
    NotForSale(VariantName),
    #[error("{variant} is priced in {price}, the cart in {cart}")]
    CurrencyMismatch { variant: VariantName, price: Currency, cart: Currency },
    #[error("too few units are left")]
    TooFew(Vec<Shortage>),
}

/// Too few units of a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortage {
    pub variant: VariantName,
    /// Its stock-keeping unit; may be empty.
    pub sku: String,
    pub requested: i32,
    pub available: i64,
}

impl Shortage {
    /// What people call the variant: its SKU, or its name if it has none.
    pub fn label(&self) -> String {
        if self.sku.is_empty() { self.variant.to_string() } else { self.sku.clone() }
    }
}

/// Whether so many units of an offer may go into a cart of a currency.
pub fn admit(offer: &Offer, quantity: i32, currency: Currency) -> Result<(), Refusal> {
    if !offer.for_sale {
        return Err(Refusal::NotForSale(offer.variant));
    }
    if offer.price.currency != currency {
        let (variant, price) = (offer.variant, offer.price.currency);
        return Err(Refusal::CurrencyMismatch { variant, price, cart: currency });
    }
    shortage(offer, quantity).map_or(Ok(()), |short| Err(Refusal::TooFew(vec![short])))
}

/// What an offer has too little of.
fn shortage(offer: &Offer, quantity: i32) -> Option<Shortage> {
    (offer.available < i64::from(quantity)).then(|| Shortage {
        variant: offer.variant,
        sku: offer.sku.clone(),
        requested: quantity,
        available: offer.available,
    })
}

#[cfg(test)]
mod tests {
    use kontor_types::ids::{ProductId, new_uuid};

    use super::*;

    fn offer(minor: i64, available: i64) -> Offer {
        let variant = VariantName { product: ProductId::generate(), id: new_uuid() };
        let price = Money { minor, currency: Currency::USD };
        let (title, sku) = ("Kettle".into(), "K-1".into());
        Offer { variant, title, sku, options: BTreeMap::new(), price, available, for_sale: true }
    }

    fn cart(items: Vec<Item>) -> Cart {
        let time = DateTime::UNIX_EPOCH;
        Cart {
            id: CartId::from_random(7),
            user: None,
            currency: Currency::USD,
            email: String::new(),
            shipping_address: None,
            order: None,
            items,
            create_time: time,
            update_time: time,
        }
    }

    #[test]
    fn a_cart_costs_what_can_be_bought_of_it() {
        let (good, withdrawn) = (offer(250, 9), Offer { for_sale: false, ..offer(99, 9) });
        let item = |offer: &Offer, quantity| Item { variant: offer.variant, quantity };
        let priced = price(cart(vec![item(&good, 3), item(&withdrawn, 1)]), &[good, withdrawn]).unwrap();
        assert_eq!(priced.total.minor, 750);
        assert_eq!(priced.items[1].total, None);
    }

    #[test]
    fn a_sum_too_large_is_an_error_not_a_small_number() {
        let dear = offer(i64::MAX, 9);
        let item = Item { variant: dear.variant, quantity: 2 };
        assert_eq!(price(cart(vec![item]), &[dear]), Err(MoneyError::Overflow));
    }

    #[test]
    fn ids_are_names_and_names_ids() {
        let id = CartId::from_random(u128::MAX);
        assert_eq!(CartId::from_name(&id.to_string()), Some(id.clone()));
        assert_ne!(id, CartId::from_random(u128::MAX - 1));
        assert!(!format!("{id:?}").contains(id.as_str()));
        assert_eq!(CartId::from_name("carts/short"), None);
    }

    #[test]
    fn more_than_there_is_names_the_sku_and_what_is_left() {
        let few = offer(100, 2);
        let Err(Refusal::TooFew(short)) = admit(&few, 3, Currency::USD) else { panic!("admitted") };
        assert_eq!((short[0].sku.as_str(), short[0].available), ("K-1", 2));
        assert_eq!(admit(&few, 2, Currency::USD), Ok(()));
    }
}
