//! Making, reading and changing carts.

use kontor_postgres::idempotency::{Answer, Key, insert_or_replay, replay};
use kontor_postgres::{StoreError, retry};
use kontor_types::Currency;
use kontor_types::ids::UserId;
use sqlx::PgTransaction;

use super::{Error, Orders};
use crate::domain::cart::{self, Address, Cart, CartId, ITEMS_MAX, Item, Offer, PricedCart};
use crate::peers::PeerError;
use crate::store;

/// A cart to be made.
#[derive(Clone, Debug)]
pub struct NewCart {
    /// Whose it is; none for a guest's.
    pub user: Option<UserId>,
    pub currency: Currency,
    pub email: String,
    pub shipping_address: Option<Address>,
    pub key: Option<Key>,
}

/// Changes of who buys and where it goes; `None` leaves a value as it is.
#[derive(Clone, Debug, Default)]
pub struct ContactChange {
    pub email: Option<String>,
    /// Where the goods go; `Some(None)` clears it.
    pub shipping_address: Option<Option<Address>>,
    pub key: Option<Key>,
}

/// A change of what is in a cart.
#[derive(Clone, Debug)]
pub struct ItemChange {
    /// The variant's name, as the caller wrote it.
    pub variant: String,
    /// How many units there are to be.
    pub quantity: i32,
    pub key: Option<Key>,
}

impl Orders {
    /// Makes an empty cart.
    pub async fn create_cart(&self, new: &NewCart) -> Result<PricedCart, Error> {
        let cart = retry("create_cart", || self.create_cart_once(new)).await?;
        let offers = self.offers_for(&cart).await?;
        Ok(cart::price(cart, &offers)?)
    }

    async fn create_cart_once(&self, new: &NewCart) -> Result<Cart, Error> {
        let (mut tx, key) = (self.pool.begin().await?, new.key.as_ref());
        let mut made = replay::<CartId>(&mut tx, key).await?;
        if made.is_none() {
            let id = CartId::from_random(rand::random());
            let contact = (new.email.as_str(), new.shipping_address.as_ref());
            let cart = store::carts::insert(&mut tx, &id, new.user, new.currency, contact).await?;
            made = insert_or_replay(&mut tx, key, &id).await?;
            if made.is_none() {
                tx.commit().await?;
                return Ok(cart);
            }
        }
        let id = made.ok_or(StoreError::KeyReused)?;
        usable(store::carts::find(&mut tx, &id).await?, &id, new.user)
    }

    /// A cart with today's prices.
    pub async fn get_cart(&self, id: &CartId, user: Option<UserId>) -> Result<PricedCart, Error> {
        let cart = self.find_cart(id, user).await?;
        let offers = self.offers_for(&cart).await?;
        Ok(cart::price(cart, &offers)?)
    }

    /// Changes who buys and where it goes.
    pub async fn update_cart(
        &self,
        id: &CartId,
        user: Option<UserId>,
        change: &ContactChange,
    ) -> Result<PricedCart, Error> {
        if !self.was_done(change.key.as_ref()).await? {
            retry("update_cart", || self.update_cart_once(id, user, change)).await?;
        }
        self.get_cart(id, user).await
    }

    async fn update_cart_once(&self, id: &CartId, user: Option<UserId>, change: &ContactChange) -> Result<(), Error> {
        let mut tx = self.pool.begin().await?;
        let cart = open(usable(store::carts::lock(&mut tx, id).await?, id, user)?)?;
        let email = change.email.as_ref().unwrap_or(&cart.email);
        let address = change.shipping_address.as_ref().unwrap_or(&cart.shipping_address);
        store::carts::set_contact(&mut tx, id, email, address.as_ref()).await?;
        commit_once(tx, change.key.as_ref(), id).await
    }

    /// Sets how many units of a variant are in a cart; 0 takes it out.
    pub async fn set_item(&self, id: &CartId, user: Option<UserId>, change: &ItemChange) -> Result<PricedCart, Error> {
        if self.was_done(change.key.as_ref()).await? {
            return self.get_cart(id, user).await;
        }
        let (variant, quantity) = (&change.variant, change.quantity);
        let cart = open(self.find_cart(id, user).await?)?;
        let offer = self.catalog.offers(vec![variant.clone()]).await?.pop();
        let offer = offer.ok_or_else(|| Error::NotFound(variant.clone()))?;
        if quantity > 0 {
            cart::admit(&offer, quantity, cart.currency)?;
        }
        let item = Item { variant: offer.variant, quantity };
        let changed = cart.with(item);
        let offers = self.offers_for(&changed).await?;
        // A sum beyond what can be counted is refused before it is kept.
        let changed = cart::price(changed, &offers)?;
        retry("set_item", || self.set_item_once(id, user, &item, change.key.as_ref())).await?;
        let cart = self.find_cart(id, user).await?;
        // What came in between, from somebody else, has to be priced too.
        if cart.items == changed.cart.items { Ok(cart::price(cart, &offers)?) } else { self.get_cart(id, user).await }
    }

    async fn set_item_once(
        &self,
        id: &CartId,
        user: Option<UserId>,
        item: &Item,
        key: Option<&Key>,
    ) -> Result<(), Error> {
        let mut tx = self.pool.begin().await?;
        let cart = open(usable(store::carts::lock(&mut tx, id).await?, id, user)?)?;
        let is_new = cart.items.iter().all(|other| other.variant != item.variant);
        if item.quantity == 0 {
            store::carts::delete_item(&mut tx, id, item.variant).await?;
        } else if is_new && cart.items.len() >= ITEMS_MAX {
            return Err(Error::CartFull(ITEMS_MAX));
        } else {
            store::carts::set_item(&mut tx, id, item).await?;
        }
        store::carts::touch(&mut tx, id).await?;
        commit_once(tx, key, id).await
    }

    /// Whether the same change was made before: then it is not made again over later changes.
    async fn was_done(&self, key: Option<&Key>) -> Result<bool, Error> {
        if key.is_none() {
            return Ok(false);
        }
        Ok(replay::<CartId>(&mut *self.pool.acquire().await?, key).await?.is_some())
    }

    pub(super) async fn find_cart(&self, id: &CartId, user: Option<UserId>) -> Result<Cart, Error> {
        let mut conn = self.pool.acquire().await?;
        usable(store::carts::find(&mut conn, id).await?, id, user)
    }

    /// Today's offers for what is in a cart; variants that the catalog does not know any more are left out.
    pub(super) async fn offers_for(&self, cart: &Cart) -> Result<Vec<Offer>, Error> {
        let mut names: Vec<String> = cart.items.iter().map(|item| item.variant.to_string()).collect();
        while !names.is_empty() {
            match self.catalog.offers(names.clone()).await {
                Err(PeerError::NotFound(gone)) if names.contains(&gone) => names.retain(|name| *name != gone),
                answer => return Ok(answer?),
            }
        }
        Ok(Vec::new())
    }
}

/// Commits a change of a cart, unless the same call, sent twice at once, made it a moment ago: then nothing is left to do.
async fn commit_once(mut tx: PgTransaction<'_>, key: Option<&Key>, id: &CartId) -> Result<(), Error> {
    match insert_or_replay(&mut tx, key, id).await? {
        None => Ok(tx.commit().await?),
        Some(_) => Ok(tx.rollback().await?),
    }
}

/// The cart, if it exists and the caller may use it.
fn usable(cart: Option<Cart>, id: &CartId, user: Option<UserId>) -> Result<Cart, Error> {
    cart.filter(|cart| cart.may_be_used_by(user)).ok_or_else(|| Error::NotFound(id.to_string()))
}

/// Cart ids are kept as the text of their names.
impl Answer for CartId {
    fn to_bytes(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        str::from_utf8(bytes).ok().and_then(Self::from_name)
    }
}

/// The cart, if it was not ordered.
pub(super) fn open(cart: Cart) -> Result<Cart, Error> {
    match cart.order {
        Some(order) => Err(Error::CartOrdered(order)),
        None => Ok(cart),
    }
}
