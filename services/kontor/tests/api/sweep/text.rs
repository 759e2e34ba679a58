//! Text that programs trip over, mixed with names that mean something here.

use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop, prop_oneof};
use serde_json::Value;

const ODD: [&str; 22] = [
    "",
    "\0",
    "a\0b@example.org",
    " ",
    "-1",
    "0",
    "9223372036854775808",
    "NaN",
    "1e400",
    "null",
    "'; DROP TABLE carts; --",
    "%s%n%x",
    "../../../etc/passwd",
    "\u{202e}drawkcab",
    "\u{feff}",
    "🛒🛒🛒",
    "é\u{301}\u{301}",
    "a@b.c",
    "USD",
    "2024-13-45T99:99:99Z",
    "email,items,shippingAddress",
    "tok_approve",
];

/// What stands in URLs, encoded well and badly.
const SEGMENTS: [&str; 12] = [
    "me",
    "-",
    "pour-over-kettle",
    "%00",
    "%FF%FE",
    "%zz",
    "%2F",
    "%3A",
    "a%2Fb",
    "0123456789abcdefghijkl",
    "018f4e2a-7c1b-7d3e-9a52-0c6f1f0e8b11",
    "018F4E2A-7C1B-7D3E-9A52-0C6F1F0E8B11",
];

#[derive(Clone)]
pub(super) struct Words {
    pub(super) names: Vec<String>,
    /// For each field, in the spelling of JSON, a value that makes sense.
    pub(super) likely: Value,
}

impl Words {
    pub(super) fn likely(&self, field: &str) -> Option<Value> {
        self.likely.get(field).cloned()
    }

    /// Text for a field: mostly what makes sense for it.
    pub(super) fn text(&self, field: &str) -> BoxedStrategy<String> {
        let likely = self.likely(field).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        match likely {
            Some(likely) => prop_oneof![2 => Just(likely), 1 => self.any_text()].boxed(),
            None => self.any_text(),
        }
    }

    pub(super) fn any_text(&self) -> BoxedStrategy<String> {
        let long = (any::<char>(), 1..3_000_usize).prop_map(|(letter, times)| letter.to_string().repeat(times));
        prop_oneof![
            4 => prop::sample::select(self.names.clone()),
            4 => prop::sample::select(&ODD[..]).prop_map(str::to_owned),
            2 => any::<String>(),
            1 => long,
        ]
        .boxed()
    }

    /// A segment of a path in a collection, as it stands in a URL: mostly the id of something that exists.
    pub(super) fn segment(&self, collection: &str) -> BoxedStrategy<String> {
        let odd = prop::sample::select(&SEGMENTS[..]).prop_map(str::to_owned);
        let bytes = prop::collection::vec(any::<u8>(), 1..40);
        let encoded = bytes.prop_map(|bytes| bytes.iter().map(|byte| format!("%{byte:02X}")).collect());
        let likely = self.names.iter().find_map(|name| id_in(name, collection));
        let likely = likely.map_or_else(|| odd.clone().boxed(), |id| Just(id).boxed());
        prop_oneof![6 => likely, 3 => odd, 1 => encoded].boxed()
    }
}

/// The id in a name that follows a collection.
fn id_in(name: &str, collection: &str) -> Option<String> {
    let mut parts = name.split('/');
    parts.find(|part| *part == collection).and_then(|_| parts.next()).map(str::to_owned)
}
