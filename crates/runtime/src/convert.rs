//! Between wire types and plain types, for what several services send.

use chrono::{DateTime, Utc};
use kontor_proto::google::r#type as wire;
use kontor_types::{Currency, Money};
use prost_types::Timestamp;
use tonic::Status;

use crate::fault::Fault;

/// Money for the wire.
pub fn money_to_wire(money: Money) -> wire::Money {
    let (units, nanos) = money.to_units();
    wire::Money { currency_code: money.currency.code().into(), units, nanos }
}

/// Money from the wire, always with its currency; `path` is the field that holds it.
pub fn money_from_wire(path: &str, money: &wire::Money) -> Result<Money, Status> {
    let code_path = format!("{path}.currency_code");
    if money.currency_code.is_empty() {
        return Err(Fault::field(&code_path, "is required").into());
    }
    let currency = currency_from_wire(&code_path, &money.currency_code)?;
    Money::from_units(currency, money.units, money.nanos).map_err(|e| Fault::field(path, e.to_string()).into())
}

/// A currency from the wire; empty means USD.
pub fn currency_from_wire(path: &str, code: &str) -> Result<Currency, Status> {
    if code.is_empty() {
        return Ok(Currency::USD);
    }
    Currency::from_code(code).map_err(|e| Fault::field(path, e.to_string()).into())
}

/// A time for the wire.
pub fn time_to_wire(time: DateTime<Utc>) -> Timestamp {
    let nanos = i32::try_from(time.timestamp_subsec_nanos()).unwrap_or_default();
    Timestamp { seconds: time.timestamp(), nanos }
}

/// A time from the wire; `path` is the field that holds it.
pub fn time_from_wire(path: &str, time: &Timestamp) -> Result<DateTime<Utc>, Status> {
    let nanos = u32::try_from(time.nanos).ok().filter(|nanos| *nanos < 1_000_000_000);
    // What RFC 3339 can write: the years 1 to 9999.
    let seconds = Some(time.seconds).filter(|seconds| (-62_135_596_800..=253_402_300_799).contains(seconds));
    let found = seconds.zip(nanos).and_then(|(seconds, nanos)| DateTime::from_timestamp(seconds, nanos));
    found.ok_or_else(|| Fault::field(path, "is no time between the years 1 and 9999").into())
}
