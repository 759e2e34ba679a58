//! Query parameters as fields of the request.

use std::collections::BTreeMap;

use prost_reflect::DynamicMessage;

use crate::fields::FieldPath;
use crate::percent;
use crate::problem::{Problem, Result};
use crate::route::Route;

/// The texts given for one field.
struct Given<'a> {
    field: FieldPath,
    name: &'a str,
    texts: Vec<String>,
}

/// Fills the message. A parameter that is no field, is given twice, or is filled from elsewhere too, is refused: a
/// misspelt filter must not answer with everything.
pub(crate) fn fill(route: &Route, query: &str, message: &mut DynamicMessage) -> Result<()> {
    let decoded = decode(query)?;
    for given in by_field(route, &decoded)?.into_values() {
        let value = given.field.value(&given.texts).map_err(|text| Problem::malformed(given.name, text))?;
        if !given.field.set(message, value) {
            return Err(Problem::malformed(given.name, "excludes another field that is given too"));
        }
    }
    Ok(())
}

/// The fields' texts, by the numbers of the fields: a field has two spellings.
fn by_field<'a>(route: &Route, parameters: &'a [(String, String)]) -> Result<BTreeMap<Vec<u32>, Given<'a>>> {
    let mut fields = BTreeMap::<Vec<u32>, Given<'a>>::new();
    for (name, text) in parameters {
        let field = FieldPath::resolve(&route.input, name)
            .ok_or_else(|| Problem::malformed(name, "is no query parameter of this method"))?;
        if route.binds(&field) {
            return Err(Problem::malformed(name, "is given by the path or the body, and can't be a query parameter"));
        }
        let is_list = field.is_list();
        let given = fields.entry(field.numbers()).or_insert(Given { field, name, texts: Vec::new() });
        if !is_list && !given.texts.is_empty() {
            return Err(Problem::malformed(name, "is given more than once"));
        }
        given.texts.push(text.clone());
    }
    Ok(fields)
}

fn decode(query: &str) -> Result<Vec<(String, String)>> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let decoded = pairs.map(|(name, text)| Some((percent::decode_parameter(name)?, percent::decode_parameter(text)?)));
    let decoded = decoded.collect::<Option<_>>();
    decoded.ok_or_else(|| Problem::malformed("", "the query is not percent-encoded UTF-8"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};
    use prost_reflect::DynamicMessage;
    use serde_json::{Value, json};

    use super::fill;
    use crate::testing::{route, runtime};

    fn filled(query: &str) -> Result<Value, String> {
        let _runtime = runtime().enter();
        let route = route();
        let mut message = DynamicMessage::new(route.input.clone());
        fill(&route, query, &mut message).map_err(|problem| problem.detail)?;
        Ok(serde_json::to_value(message).unwrap())
    }

    #[test]
    fn every_kind_of_field_has_its_text() {
        let cases = [
            ("text=a+b%26", json!({"text": "a b&"})),
            (
                "flag=true&small=-7&large=9007199254740993",
                json!({"flag": true, "small": -7, "large": "9007199254740993"}),
            ),
            ("ratio=1.5&data=aGk", json!({"ratio": 1.5, "data": "aGk="})),
            ("color=RED&colors=RED&colors=BLUE", json!({"color": "RED", "colors": ["RED", "BLUE"]})),
            ("numbers=1&numbers=2", json!({"numbers": [1, 2]})),
            ("at=2024-05-01T00:00:00Z&wait=1.5s", json!({"at": "2024-05-01T00:00:00Z", "wait": "1.500s"})),
            ("mask=a.bC,d", json!({"mask": "a.bC,d"})),
            ("mask=a.b_c,d", json!({"mask": "a.bC,d"})),
            ("maybeFlag=false&maybe_number=0", json!({"maybeFlag": false, "maybeNumber": 0})),
            ("note=&inner.inner.text=x", json!({"note": "", "inner": {"inner": {"text": "x"}}})),
            ("&&text=a&", json!({"text": "a"})),
        ];
        for (query, message) in cases {
            assert_eq!(filled(query), Ok(message), "{query}");
        }
    }

    #[test]
    fn what_fits_no_field_is_refused() {
        let refused = [
            "nothing=1",
            "text.x=1",
            "inner=x",
            "many.text=x",
            "labels=x",
            "labels.a=x",
            "=x",
            ".",
            "inner.",
            "inner..text=a",
            "flag=1",
            "flag=True",
            "small=1.5",
            "small=",
            "large=99999999999999999999",
            "data=*",
            "color=GREEN",
            "color=red",
            "at=yesterday",
            "wait=1",
            "maybeFlag=x",
            "text=%f",
            "text=a&text=a",
            "small=1&small=2",
            "a=1&b=2",
            "maybe_flag=true&maybeFlag=true",
            "id=x",
        ];
        for query in refused {
            assert!(filled(query).is_err(), "{query}");
        }
    }

    proptest! {
        #[test]
        fn no_query_makes_it_panic(any in any::<String>(), name in "(inner\\.)?(text|flag|small|large|ratio|data|color|at|wait|mask|a|b)",
                                   text in "[-+0-9.:TZseNaIinfty%]{0,24}") {
            let _ = filled(&any);
            let _ = filled(&format!("{name}={text}"));
        }
    }
}
