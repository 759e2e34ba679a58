//! The ids of resources and their names (AIP-122): `products/{uuid}`. Ids are UUIDv7 (RFC 9562), so that they sort
//! by the time they were made.

use std::fmt;

use uuid::Uuid;

/// A resource name that is not of the kind it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is no name of the form {0}/{{uuid}}")]
pub struct NameError(pub &'static str);

/// Declares the id of one collection: a UUID that knows its resource name.
macro_rules! ids {
    ($($(#[$doc:meta])* $id:ident = $collection:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $id(pub Uuid);

        impl $id {
            /// The collection that the resource name begins with.
            pub const COLLECTION: &str = $collection;

            /// A new one, later in order than those made before.
            pub fn generate() -> Self {
                Self(new_uuid())
            }

            /// From a canonical resource name.
            pub fn from_name(name: &str) -> Result<Self, NameError> {
                name.strip_prefix(concat!($collection, "/"))
                    .and_then(canonical)
                    .map(Self)
                    .ok_or(NameError($collection))
            }
        }

        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($collection, "/{}"), self.0)
            }
        }
    )*};
}

ids! {
    /// An order.
    OrderId = "orders";
    /// A password reset that waits for its code.
    PasswordResetId = "passwordResets";
    /// A product.
    ProductId = "products";
    /// Money of an order that is given back; named below its order.
    RefundId = "refunds";
    /// A session of a user.
    SessionId = "sessions";
    /// A sign-up that waits for its code.
    SignUpId = "signUps";
    /// A user.
    UserId = "users";
}

/// A variant, named below its product: `products/{uuid}/variants/{uuid}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VariantName {
    pub product: ProductId,
    pub id: Uuid,
}

impl VariantName {
    /// From a canonical resource name.
    pub fn from_name(name: &str) -> Result<Self, NameError> {
        let error = NameError("products/{uuid}/variants");
        let (product, id) = name.rsplit_once("/variants/").ok_or_else(|| error.clone())?;
        let product = ProductId::from_name(product).map_err(|_| error.clone())?;
        Ok(Self { product, id: canonical(id).ok_or(error)? })
    }
}

impl fmt::Display for VariantName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/variants/{}", self.product, self.id)
    }
}

/// A new UUIDv7.
#[expect(clippy::disallowed_methods, reason = "this is the one place where ids are made")]
pub fn new_uuid() -> Uuid {
    Uuid::now_v7()
}

/// A UUID in its one canonical spelling (36 characters, lower case): two names are the same resource only if they are the same text.
pub fn canonical(text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text).ok()?;
    (id.hyphenated().to_string() == text).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        let order = OrderId::generate();
        assert_eq!(OrderId::from_name(&order.to_string()), Ok(order));
        let variant = VariantName { product: ProductId::generate(), id: new_uuid() };
        assert_eq!(VariantName::from_name(&variant.to_string()), Ok(variant));
    }

    #[test]
    fn only_the_canonical_spelling_is_a_name() {
        let upper = format!("orders/{}", new_uuid().hyphenated().to_string().to_uppercase());
        let simple = format!("orders/{}", new_uuid().simple());
        for name in [&upper, &simple, "orders/", "orders/1", "users/x", ""] {
            assert!(OrderId::from_name(name).is_err(), "{name}");
        }
    }
}
