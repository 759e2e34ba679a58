//! How callers name products and variants: by id, or by the product's handle in the same place.

use kontor_types::ids::{NameError, ProductId, canonical};
use uuid::Uuid;

/// A product, as a caller names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProductRef {
    /// `products/{uuid}`.
    Id(ProductId),
    /// `products/{handle}`.
    Handle(String),
}

/// A variant, as a caller names it: `products/{uuid or handle}/variants/{uuid}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VariantRef {
    /// Its product; none for `products/-`.
    pub product: Option<ProductRef>,
    pub id: Uuid,
}

impl ProductRef {
    /// From a resource name.
    pub fn from_name(name: &str) -> Result<Self, NameError> {
        let word = name.strip_prefix("products/").filter(|word| !word.is_empty() && !word.contains('/'));
        let word = word.ok_or(NameError("products"))?;
        Ok(canonical(word).map_or_else(|| Self::Handle(word.to_owned()), |id| Self::Id(ProductId(id))))
    }

    /// Whether it names this product.
    pub fn names(&self, id: ProductId, handle: &str) -> bool {
        match self {
            Self::Id(own) => *own == id,
            Self::Handle(own) => own == handle,
        }
    }
}

impl VariantRef {
    /// From a resource name.
    pub fn from_name(name: &str) -> Result<Self, NameError> {
        let error = NameError("products/{product}/variants");
        let (product, id) = name.rsplit_once("/variants/").ok_or_else(|| error.clone())?;
        let product = ProductRef::from_name(product).map_err(|_| error.clone())?;
        let id = canonical(id).ok_or(error)?;
        let any = product == ProductRef::Handle("-".into());
        Ok(Self { product: (!any).then_some(product), id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_stands_where_the_id_does() {
        let id = ProductId::generate();
        assert_eq!(ProductRef::from_name(&id.to_string()), Ok(ProductRef::Id(id)));
        assert_eq!(ProductRef::from_name("products/aeropress"), Ok(ProductRef::Handle("aeropress".into())));
        assert!(ProductRef::from_name("products/a/b").is_err());
        let variant = VariantRef::from_name(&format!("products/-/variants/{}", id.0)).unwrap();
        assert_eq!(variant, VariantRef { product: None, id: id.0 });
        assert!(VariantRef::from_name("products/x/variants/y").is_err());
    }
}
