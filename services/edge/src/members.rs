//! A JSON object names each member once (RFC 8259 leaves it open; RFC 7493, section 2.3, does not). Of two values for one field it
//! is anyone's guess which counts, and one of them may be an amount of money. A field's two spellings are the same member.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::status::json_path;

/// The first member that is there twice, if the bytes are JSON; what else is wrong with them is found out elsewhere.
pub(crate) fn twice(json: &[u8]) -> Option<String> {
    let mut found = None;
    let mut reader = serde_json::Deserializer::from_slice(json);
    let _ = Members(&mut found).deserialize(&mut reader);
    found
}

struct Members<'a>(&'a mut Option<String>);

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if !names.insert(json_path(&name)) {
                *self.0 = Some(name);
                return Err(A::Error::custom("twice"));
            }
            map.next_value_seed(Members(&mut *self.0))?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Members(&mut *self.0))?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::twice;

    #[test]
    fn a_member_is_named_once_whatever_its_spelling_and_depth() {
        assert_eq!(twice(br#"{"units": 1, "units": 79}"#), Some("units".into()));
        assert_eq!(twice(br#"{"currency_code": "USD", "currencyCode": "EUR"}"#), Some("currencyCode".into()));
        assert_eq!(twice(br#"{"a": [{"b": {"c": 1, "c": 1}}]}"#), Some("c".into()));
        assert_eq!(twice(br#"{"a": {"b": 1}, "c": {"b": 1}, "d": [1.5, null, true, "x"]}"#), None);
        assert_eq!(twice(b"{\"a\": "), None);
    }
}
