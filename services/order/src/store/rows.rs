//! The forms in which parts of carts and orders lie in jsonb columns. Old rows must stay readable: add fields, with defaults, and
//! never rename one.

use std::collections::BTreeMap;

use kontor_types::ids::VariantName;
use kontor_types::{Currency, Money};
use serde::{Deserialize, Serialize};

use crate::domain::cart::{Address, Shortage};
use crate::domain::order::{Line, Rejection};
use crate::domain::refund::RestockLine;
use crate::domain::saga::Reason;

/// A value in a column that the code can't have written.
pub(super) fn inconsistent(what: &str, id: impl std::fmt::Display, why: impl std::fmt::Display) -> sqlx::Error {
    sqlx::Error::Decode(format!("{what} of {id}: {why}").into())
}

#[derive(Serialize, Deserialize)]
pub(super) struct AddressRow {
    region_code: String,
    postal_code: String,
    administrative_area: String,
    locality: String,
    address_lines: Vec<String>,
    recipients: Vec<String>,
    organization: String,
}

impl From<&Address> for AddressRow {
    fn from(address: &Address) -> Self {
        let Address { region_code, postal_code, administrative_area, locality, .. } = address.clone();
        let Address { address_lines, recipients, organization, .. } = address.clone();
        Self { region_code, postal_code, administrative_area, locality, address_lines, recipients, organization }
    }
}

impl From<AddressRow> for Address {
    fn from(row: AddressRow) -> Self {
        let AddressRow { region_code, postal_code, administrative_area, locality, .. } = row;
        let AddressRow { address_lines, recipients, organization, .. } = row;
        Self { region_code, postal_code, administrative_area, locality, address_lines, recipients, organization }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct LineRow {
    variant: String,
    title: String,
    sku: String,
    options: BTreeMap<String, String>,
    quantity: i32,
    unit_price_minor: i64,
    total_minor: i64,
}

impl From<&Line> for LineRow {
    fn from(line: &Line) -> Self {
        Self {
            variant: line.variant.to_string(),
            title: line.title.clone(),
            sku: line.sku.clone(),
            options: line.options.clone(),
            quantity: line.quantity,
            unit_price_minor: line.unit_price.minor,
            total_minor: line.total.minor,
        }
    }
}

impl LineRow {
    pub(super) fn into_line(self, currency: Currency) -> Result<Line, sqlx::Error> {
        let money = |minor| Money { minor, currency };
        Ok(Line {
            variant: variant(&self.variant)?,
            title: self.title,
            sku: self.sku,
            options: self.options,
            quantity: self.quantity,
            unit_price: money(self.unit_price_minor),
            total: money(self.total_minor),
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum RejectionRow {
    OutOfStock { shortages: Vec<ShortageRow> },
    PaymentDeclined { code: String },
    NotSettled,
}

/// Why a saga was turned back: a rejection, or that the order was called off.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum ReasonRow {
    Cancelled { reason: CancelledWord },
    Rejected(RejectionRow),
}

#[derive(Serialize, Deserialize)]
pub(super) enum CancelledWord {
    #[serde(rename = "CANCELLED")]
    Cancelled,
}

impl From<&Reason> for ReasonRow {
    fn from(reason: &Reason) -> Self {
        match reason {
            Reason::Cancelled => Self::Cancelled { reason: CancelledWord::Cancelled },
            Reason::Rejected(rejection) => Self::Rejected(rejection.into()),
        }
    }
}

impl TryFrom<ReasonRow> for Reason {
    type Error = sqlx::Error;

    fn try_from(row: ReasonRow) -> Result<Self, sqlx::Error> {
        match row {
            ReasonRow::Cancelled { .. } => Ok(Self::Cancelled),
            ReasonRow::Rejected(rejection) => Ok(Self::Rejected(rejection.try_into()?)),
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct RestockRow {
    variant: String,
    quantity: i32,
}

impl From<&RestockLine> for RestockRow {
    fn from(line: &RestockLine) -> Self {
        Self { variant: line.variant.to_string(), quantity: line.quantity }
    }
}

impl TryFrom<RestockRow> for RestockLine {
    type Error = sqlx::Error;

    fn try_from(row: RestockRow) -> Result<Self, sqlx::Error> {
        Ok(Self { variant: variant(&row.variant)?, quantity: row.quantity })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct ShortageRow {
    variant: String,
    sku: String,
    requested: i32,
    available: i64,
}

impl From<&Rejection> for RejectionRow {
    fn from(rejection: &Rejection) -> Self {
        let row = |s: &Shortage| ShortageRow {
            variant: s.variant.to_string(),
            sku: s.sku.clone(),
            requested: s.requested,
            available: s.available,
        };
        match rejection {
            Rejection::OutOfStock(short) => Self::OutOfStock { shortages: short.iter().map(row).collect() },
            Rejection::PaymentDeclined(code) => Self::PaymentDeclined { code: code.clone() },
            Rejection::NotSettled => Self::NotSettled,
        }
    }
}

impl TryFrom<RejectionRow> for Rejection {
    type Error = sqlx::Error;

    fn try_from(row: RejectionRow) -> Result<Self, sqlx::Error> {
        let shortage = |row: ShortageRow| {
            let (requested, available) = (row.requested, row.available);
            Ok(Shortage { variant: variant(&row.variant)?, sku: row.sku, requested, available })
        };
        match row {
            RejectionRow::OutOfStock { shortages } => {
                let short = shortages.into_iter().map(shortage).collect::<Result<_, sqlx::Error>>()?;
                Ok(Self::OutOfStock(short))
            }
            RejectionRow::PaymentDeclined { code } => Ok(Self::PaymentDeclined(code)),
            RejectionRow::NotSettled => Ok(Self::NotSettled),
        }
    }
}

fn variant(name: &str) -> Result<VariantName, sqlx::Error> {
    VariantName::from_name(name).map_err(|error| inconsistent("a variant's name", name, error))
}
