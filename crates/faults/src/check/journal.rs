//! What the payment provider has written down: one line of JSON for each decision.

use std::collections::BTreeMap;
use std::path::Path;

use kontor_runtime::Error;
use serde::Deserialize;

/// A payment as its last line has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Payment {
    pub(crate) authorization_key: String,
    /// "orders/{uuid}"; none if it was voided before it was asked for.
    pub(crate) order: Option<String>,
    pub(crate) state: String,
    pub(crate) captured_minor: i64,
    pub(crate) refunded_minor: i64,
}

#[derive(Deserialize)]
struct Line {
    authorization_key: String,
    #[serde(default)]
    order: Option<String>,
    state: String,
    payment: Standing,
}

#[derive(Deserialize)]
struct Standing {
    captured_minor: i64,
    refunded_minor: i64,
}

/// The payments in the journal. One that is not there yet has none.
pub(crate) fn read(path: &Path) -> Result<Vec<Payment>, Error> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    payments(&std::fs::read_to_string(path)?)
}

/// A last line without its line feed is one that was never answered.
fn payments(text: &str) -> Result<Vec<Payment>, Error> {
    let mut payments = BTreeMap::new();
    for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        let line: Line = serde_json::from_str(line)?;
        let payment = Payment {
            authorization_key: line.authorization_key.clone(),
            order: line.order,
            state: line.state,
            captured_minor: line.payment.captured_minor,
            refunded_minor: line.payment.refunded_minor,
        };
        payments.insert(line.authorization_key, payment);
    }
    Ok(payments.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(call: &str, state: &str, captured: i64) -> String {
        format!(
            "{{\"time\":\"2026-01-01T00:00:00Z\",\"call\":\"{call}\",\"key\":\"{call}\",\"authorization_key\":\"a\",\
             \"order\":\"orders/1\",\"state\":\"{state}\",\"payment\":{{\"id\":\"x\",\"create_time\":\"\",\
             \"captured_minor\":{captured},\"refunded_minor\":0}}}}\n"
        )
    }

    #[test]
    fn the_last_whole_line_of_a_payment_counts() {
        let text = line("authorize", "AUTHORIZED", 0) + &line("capture", "CAPTURED", 5) + "{\"torn";
        let payments = payments(&text).unwrap();
        assert_eq!(payments.len(), 1);
        assert_eq!((payments[0].state.as_str(), payments[0].captured_minor), ("CAPTURED", 5));
    }

    #[test]
    fn a_broken_line_is_an_error() {
        assert!(payments("{\n").is_err());
    }
}
