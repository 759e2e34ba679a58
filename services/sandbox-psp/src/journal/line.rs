//! One line of the journal: a decision as a JSON object, for programs to read.
//!
//! `time`, `call` (authorize, capture, void, refund or review), `key` and `authorization_key`, `order`, `amount` (of this call),
//! `state` (after it), and `payment`: all of the payment after it. Amounts are in whole minor units. The payment token is
//! not in it, only what it chose (`behaviour`).

use chrono::{DateTime, SecondsFormat, Utc};
use kontor_types::{Currency, Money};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::{Ask, Behaviour, Cause, Decline, Entry, Payment, Request, State, Sums, Terms};

/// Adds an entry as a line, with its line feed.
pub(super) fn write(entry: &Entry, to: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    serde_json::to_writer(&mut *to, &Line::of(entry))?;
    to.push(b'\n');
    Ok(())
}

/// The entry that a line holds, or what is wrong with the line.
pub(super) fn read(line: &[u8]) -> Result<Entry, String> {
    let line: Line = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    line.entry()
}

#[derive(Serialize, Deserialize)]
struct Line {
    time: String,
    call: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    authorization_key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    order: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    amount: Option<Amount>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    behaviour: Option<String>,
    state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    decline_code: Option<String>,
    payment: Standing,
}

/// The payment as it stands after the decision.
#[derive(Serialize, Deserialize)]
struct Standing {
    id: Uuid,
    create_time: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    authorized: Option<Amount>,
    captured_minor: i64,
    refunded_minor: i64,
}

#[derive(Serialize, Deserialize)]
struct Amount {
    currency_code: String,
    minor: i64,
}

impl Line {
    fn of(entry: &Entry) -> Self {
        let payment = &entry.payment;
        let (call, amount, behaviour) = parts(&entry.cause);
        Self {
            time: time_text(entry.time),
            call: call.into(),
            key: if let Cause::Call(request) = &entry.cause { Some(request.key.clone()) } else { None },
            authorization_key: payment.authorization_key.clone(),
            order: payment.order.clone(),
            amount: amount.map(Amount::of),
            behaviour: behaviour.map(|behaviour| behaviour.word().into()),
            state: payment.state.word().into(),
            decline_code: payment.decline.map(|decline| decline.word().into()),
            payment: Standing::of(payment),
        }
    }

    fn entry(self) -> Result<Entry, String> {
        let time = time(&self.time)?;
        let cause = self.cause()?;
        let state = State::from_word(&self.state).ok_or("unknown state")?;
        let decline =
            self.decline_code.map(|word| Decline::from_word(&word).ok_or("unknown decline_code")).transpose()?;
        let payment = Payment {
            id: self.payment.id,
            create_time: self::time(&self.payment.create_time)?,
            sums: self.payment.sums()?,
            authorization_key: self.authorization_key,
            order: self.order,
            state,
            decline,
        };
        Ok(Entry { time, cause, payment })
    }

    fn cause(&self) -> Result<Cause, String> {
        let ask = match self.call.as_str() {
            "review" => return Ok(Cause::Review),
            "authorize" => Ask::Authorize(self.terms()?),
            "capture" => Ask::Capture(self.amount()?),
            "void" => Ask::Void,
            "refund" => Ask::Refund(self.amount()?),
            _ => return Err("unknown call".into()),
        };
        let key = self.key.clone().ok_or("no key")?;
        Ok(Cause::Call(Request { key, authorization_key: self.authorization_key.clone(), ask }))
    }

    fn terms(&self) -> Result<Terms, String> {
        let order = self.order.clone().ok_or("no order")?;
        let behaviour = self.behaviour.as_deref().and_then(Behaviour::from_word).ok_or("unknown behaviour")?;
        Ok(Terms { order, amount: self.amount()?, behaviour })
    }

    fn amount(&self) -> Result<Money, String> {
        self.amount.as_ref().ok_or("no amount")?.money()
    }
}

fn parts(cause: &Cause) -> (&'static str, Option<Money>, Option<Behaviour>) {
    let Cause::Call(request) = cause else { return ("review", None, None) };
    match &request.ask {
        Ask::Authorize(terms) => ("authorize", Some(terms.amount), Some(terms.behaviour)),
        Ask::Capture(amount) => ("capture", Some(*amount), None),
        Ask::Void => ("void", None, None),
        Ask::Refund(amount) => ("refund", Some(*amount), None),
    }
}

impl Standing {
    fn of(payment: &Payment) -> Self {
        let minor = |of: fn(Sums) -> Money| payment.sums.map_or(0, |sums| of(sums).minor);
        Self {
            id: payment.id,
            create_time: time_text(payment.create_time),
            authorized: payment.sums.map(|sums| Amount::of(sums.authorized)),
            captured_minor: minor(|sums| sums.captured),
            refunded_minor: minor(|sums| sums.refunded),
        }
    }

    fn sums(&self) -> Result<Option<Sums>, String> {
        let Some(authorized) = &self.authorized else { return Ok(None) };
        let authorized = authorized.money()?;
        let of = |minor| Money { minor, ..authorized };
        Ok(Some(Sums { authorized, captured: of(self.captured_minor), refunded: of(self.refunded_minor) }))
    }
}

impl Amount {
    fn of(money: Money) -> Self {
        Self { currency_code: money.currency.code().into(), minor: money.minor }
    }

    fn money(&self) -> Result<Money, String> {
        let currency = Currency::from_code(&self.currency_code).map_err(|error| error.to_string())?;
        Ok(Money { minor: self.minor, currency })
    }
}

fn time_text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn time(text: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(text).map(DateTime::into).map_err(|error| error.to_string())
}
