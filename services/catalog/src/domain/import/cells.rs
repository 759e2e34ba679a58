//! Single cells: from text to values. What can't be taken is noted, and a harmless value stands in for it, so that one
//! look at a row finds all that is wrong with it.

use kontor_types::{Currency, Money};

use super::column::Column;
use super::issue::{Issue, quoted};
use super::limits::{PRICE_MAX_MINOR, QUANTITY_MAX, TEXT_MAX_CHARS, WEIGHT_MAX_GRAMS};
use super::table::Row;
use crate::domain::product::Status;

pub(super) fn text(row: &Row, column: Column, notes: &mut Vec<Issue>) -> String {
    let text = row.get(column);
    if text.chars().count() > TEXT_MAX_CHARS {
        notes.push(Issue::error(row.line, column, format!("is longer than {TEXT_MAX_CHARS} characters")));
    }
    text.to_owned()
}

/// The price of one unit, which every variant has.
pub(super) fn price(row: &Row, currency: Currency, notes: &mut Vec<Issue>) -> Money {
    if row.get(Column::Price).is_empty() {
        notes.push(Issue::error(row.line, Column::Price, "is missing"));
    }
    amount(row, Column::Price, currency, notes).unwrap_or(Money::zero(currency))
}

/// An amount of money, or none if the cell is empty.
pub(super) fn amount(row: &Row, column: Column, currency: Currency, notes: &mut Vec<Issue>) -> Option<Money> {
    let text = row.get(column);
    if text.is_empty() {
        return None;
    }
    let refused = match Money::parse(text, currency) {
        Ok(money) if money.minor < 0 => "is negative".into(),
        Ok(money) if money.minor > PRICE_MAX_MINOR => "is too large".into(),
        Ok(money) => return Some(money),
        Err(error) => error.to_string(),
    };
    notes.push(Issue::error(row.line, column, refused));
    None
}

/// Units in stock: 0 if the cell is empty, or negative, as it is in shops that sold more than they had.
pub(super) fn quantity(row: &Row, notes: &mut Vec<Issue>) -> i64 {
    let text = row.get(Column::Quantity);
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    if text.is_empty() {
        return 0;
    }
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        notes.push(Issue::error(row.line, Column::Quantity, format!("{} is no whole number", quoted(text))));
        return 0;
    }
    match digits.parse::<i64>() {
        Ok(0) => 0,
        Ok(_) if negative => {
            notes.push(Issue::warning(row.line, Column::Quantity, "is negative; taken as 0"));
            0
        }
        Ok(units) if units <= QUANTITY_MAX => units,
        Ok(_) | Err(_) => {
            notes.push(Issue::error(row.line, Column::Quantity, format!("is more than {QUANTITY_MAX}")));
            0
        }
    }
}

/// Grams, to the nearest whole one; exports write "250", "250.0" or "453.592".
pub(super) fn grams(row: &Row, notes: &mut Vec<Issue>) -> i32 {
    let text = row.get(Column::Grams);
    if text.is_empty() {
        return 0;
    }
    whole_grams(text).unwrap_or_else(|| {
        let message = format!("{} is no weight in grams; taken as 0", quoted(text));
        notes.push(Issue::warning(row.line, Column::Grams, message));
        0
    })
}

fn whole_grams(text: &str) -> Option<i32> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(decimals) {
        return None;
    }
    let rounded_up = i32::from(decimals.as_bytes()[0] >= b'5');
    let grams = whole.parse::<i32>().ok()?.checked_add(rounded_up)?;
    (grams <= WEIGHT_MAX_GRAMS).then_some(grams)
}

/// Whether the product is for sale. Older exports have no status, only whether the shop shows it.
pub(super) fn status(row: &Row, notes: &mut Vec<Issue>) -> Status {
    let (status, published) = (row.get(Column::Status), row.get(Column::Published));
    let (column, text) = if status.is_empty() { (Column::Published, published) } else { (Column::Status, status) };
    match (column, text.to_ascii_lowercase().as_str()) {
        (Column::Status, "active") | (Column::Published, "true" | "") => Status::Active,
        (Column::Status, "draft") | (Column::Published, "false") => Status::Draft,
        (Column::Status, "archived") => Status::Archived,
        (_, _) => {
            let known = if column == Column::Status { "active, draft, archived" } else { "TRUE, FALSE" };
            notes.push(Issue::error(row.line, column, format!("{} is none of {known}", quoted(text))));
            Status::Draft
        }
    }
}

/// Notes what the file wants of stock and this catalog does otherwise.
pub(super) fn stock_policy(row: &Row, quantity: i64, notes: &mut Vec<Issue>) {
    if row.get(Column::Policy).eq_ignore_ascii_case("continue") {
        let message = "\"continue\" is not followed: this catalog never sells more than is in stock";
        notes.push(Issue::warning(row.line, Column::Policy, message));
    }
    let is_untracked = row.columns.has(Column::Tracker) && row.get(Column::Tracker).is_empty();
    if is_untracked && quantity == 0 {
        let message = "is empty, but stock is always counted here: there are 0 units to sell";
        notes.push(Issue::warning(row.line, Column::Tracker, message));
    }
}
