//! One random request.

use std::fmt;

use kontor_types::ids::new_uuid;
use proptest::prelude::{BoxedStrategy, Just, Strategy, prop, prop_oneof};
use reqwest::RequestBuilder;

use super::json;
use super::routes::{self, Route};
use super::text::Words;
use crate::api::Api;
use crate::goods::HEADER;

#[derive(Clone)]
pub(super) struct Shot {
    route: Route,
    segments: Vec<String>,
    query: Vec<(String, String)>,
    body: Vec<u8>,
    headers: Vec<(&'static str, String)>,
    by_admin: bool,
}

impl fmt::Debug for Shot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { route, segments, query, body, headers, by_admin } = self;
        writeln!(f, "{route:?} {segments:?} {query:?} {headers:?}, by the administrator: {by_admin}")?;
        write!(f, "{}", body.escape_ascii())
    }
}

impl Shot {
    pub(super) fn request(&self, admin: &Api) -> RequestBuilder {
        let encode = |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02X}")).collect() };
        let pairs = self.query.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        let path = format!("{}?{}", self.route.path(&self.segments), pairs.collect::<Vec<_>>().join("&"));
        let api = if self.by_admin { admin.clone() } else { Api::guest() };
        let request = api.request(self.route.method.clone(), &path).body(self.body.clone());
        self.headers.iter().fold(request, |request, (name, value)| request.header(*name, value))
    }
}

pub(super) fn any(words: &Words) -> BoxedStrategy<Shot> {
    let words = words.clone();
    prop::sample::select(routes::all()).prop_flat_map(move |route| to(route, &words)).boxed()
}

fn to(route: Route, words: &Words) -> BoxedStrategy<Shot> {
    let segments: Vec<_> = route.collections().iter().map(|collection| words.segment(collection)).collect();
    let by_admin = proptest::bool::weighted(0.7);
    (segments, query(&route, words), body(&route, words), headers(&route, words), by_admin)
        .prop_map(move |(segments, query, body, headers, by_admin)| {
            let route = route.clone();
            Shot { route, segments, query, body, headers, by_admin }
        })
        .boxed()
}

fn query(route: &Route, words: &Words) -> BoxedStrategy<Vec<(String, String)>> {
    let words = words.clone();
    let name = prop_oneof![9 => prop::sample::select(json::names(&route.input)), 1 => words.any_text()];
    let pair = name.prop_flat_map(move |name| {
        let value = words.text(&name);
        (Just(name), value)
    });
    let none_often = if route.has_body { 9 } else { 1 };
    prop_oneof![none_often => Just(Vec::new()), 1 => prop::collection::vec(pair, 1..3)].boxed()
}

fn body(route: &Route, words: &Words) -> BoxedStrategy<Vec<u8>> {
    if !route.has_body {
        return prop_oneof![19 => Just(Vec::new()), 1 => Just(b"{}".to_vec())].boxed();
    }
    let right = if route.is_file() { file(words) } else { json::body(route, words).prop_map(bytes).boxed() };
    prop_oneof![
        16 => right,
        1 => json::any_json(words).prop_map(bytes),
        1 => prop::collection::vec(proptest::num::u8::ANY, 0..200),
        1 => Just(Vec::new()),
    ]
    .boxed()
}

fn bytes(value: serde_json::Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

/// A file with some columns that are known, and anything in its cells.
fn file(words: &Words) -> BoxedStrategy<Vec<u8>> {
    let cell = prop_oneof![words.any_text(), "[0-9]{0,12}(\\.[0-9]{0,3})?", "[a-z-]{0,9}"];
    let row = prop::collection::vec(cell, HEADER.split(',').count()).prop_map(|cells| {
        let cells: Vec<_> = cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
        cells.join(",")
    });
    prop::collection::vec(row, 0..5).prop_map(|rows| format!("{HEADER}\n{}", rows.join("\n")).into_bytes()).boxed()
}

fn headers(route: &Route, words: &Words) -> BoxedStrategy<Vec<(&'static str, String)>> {
    let usual = if route.is_file() { "text/csv" } else { "application/json" };
    let kind =
        prop_oneof![19 => Just(usual), 1 => Just("multipart/form-data"), 1 => Just("application/json; charset=utf-16")];
    let content_type = kind.prop_map(|kind| ("content-type", kind.to_owned()));
    let odd = |name: &'static str| {
        let letters = |text: String| text.chars().filter(|letter| (' '..='~').contains(letter)).collect();
        words.any_text().prop_map(move |text| (name, letters(text)))
    };
    let more = prop_oneof![
        4 => Just(("idempotency-key", new_uuid().to_string())),
        1 => odd("idempotency-key"),
        1 => odd("x-request-id"),
        1 => odd("traceparent"),
        1 => odd("grpc-timeout"),
        1 => odd("accept"),
    ];
    (content_type, prop::collection::vec(more, 0..2)).prop_map(|(first, more)| [vec![first], more].concat()).boxed()
}
