//! From the catalog's types to messages of the contract.

use kontor_proto::kontor::catalog::v1 as pb;
use kontor_runtime::convert::{money_to_wire, time_to_wire};
use kontor_types::ids::VariantName;

use crate::domain::import::{ImportReport, Issue, Issues, Severity};
use crate::domain::inventory::{Line, Shortage, Stock};
use crate::domain::product::{Product, Status, Variant};
use crate::domain::reservation::{Reservation, ReservationState};

/// A product, with its variants.
pub fn product(product: &Product) -> pb::Product {
    let content = product.content.clone();
    pb::Product {
        name: product.id.to_string(),
        handle: content.handle,
        title: content.title,
        description: content.description,
        status: status(content.status).into(),
        vendor: content.vendor,
        product_type: content.product_type,
        tags: content.tags,
        option_names: content.option_names,
        variants: product.variants.iter().map(variant).collect(),
        etag: format!("\"{}\"", product.version),
        create_time: Some(time_to_wire(product.create_time)),
        update_time: Some(time_to_wire(product.update_time)),
    }
}

fn status(status: Status) -> pb::product::Status {
    match status {
        Status::Draft => pb::product::Status::Draft,
        Status::Active => pb::product::Status::Active,
        Status::Archived => pb::product::Status::Archived,
    }
}

/// A variant.
pub fn variant(variant: &Variant) -> pb::Variant {
    let content = variant.content.clone();
    pb::Variant {
        name: variant.name.to_string(),
        sku: content.sku.unwrap_or_default(),
        price: Some(money_to_wire(content.price)),
        compare_at_price: content.compare_at.map(money_to_wire),
        options: variant.option_names.iter().cloned().zip(content.option_values).collect(),
        product_title: variant.product_title.clone(),
        barcode: content.barcode,
        weight_grams: content.weight_grams,
        available_quantity: variant.available,
        for_sale: variant.for_sale,
    }
}

/// The units of one variant.
pub fn stock(stock: &Stock) -> pb::Stock {
    pb::Stock {
        name: format!("{}/stock", stock.variant),
        on_hand: stock.on_hand,
        reserved: stock.reserved,
        available: stock.available(),
    }
}

/// The units of one variant, from the answer that was kept.
pub fn stock_from(kept: &pb::Stock) -> Option<Stock> {
    let variant = VariantName::from_name(kept.name.strip_suffix("/stock")?).ok()?;
    Some(Stock { variant, on_hand: kept.on_hand, reserved: kept.reserved })
}

/// An order's claim on stock.
pub fn reservation(reservation: &Reservation) -> pb::Reservation {
    let line = |line: Line| pb::ReservationLine { variant: line.variant.to_string(), quantity: line.quantity };
    pb::Reservation {
        order: reservation.order.to_string(),
        state: reservation_state(reservation.state).into(),
        lines: reservation.lines.iter().copied().map(line).collect(),
        shortages: reservation.shortages.iter().map(shortage).collect(),
        expire_time: reservation.expire_time.map(time_to_wire),
        returned_lines: reservation.returned_lines().map(line).collect(),
    }
}

fn shortage(shortage: &Shortage) -> pb::Shortage {
    pb::Shortage {
        variant: shortage.line.variant.to_string(),
        sku: shortage.sku.clone().unwrap_or_default(),
        requested_quantity: shortage.line.quantity,
        available_quantity: shortage.available,
    }
}

fn reservation_state(state: ReservationState) -> pb::reservation::State {
    match state {
        ReservationState::Held => pb::reservation::State::Held,
        ReservationState::Confirmed => pb::reservation::State::Confirmed,
        ReservationState::Released => pb::reservation::State::Released,
        ReservationState::Refused => pb::reservation::State::Refused,
        ReservationState::Expired => pb::reservation::State::Expired,
    }
}

/// What an import did.
pub fn import_report(report: ImportReport) -> pb::ImportProductsResponse {
    pb::ImportProductsResponse {
        products_created: count(report.products_created),
        products_updated: count(report.products_updated),
        products_unchanged: count(report.products_unchanged),
        products_refused: count(report.products_refused),
        variants_created: count(report.variants_created),
        variants_updated: count(report.variants_updated),
        variants_unchanged: count(report.variants_unchanged),
        issue_count: count(report.issues.count()),
        issues: report.issues.into_first().into_iter().map(issue).collect(),
    }
}

fn issue(issue: Issue) -> pb::ImportIssue {
    let severity = match issue.severity {
        Severity::Warning => pb::import_issue::Severity::Warning,
        Severity::Error => pb::import_issue::Severity::Error,
    };
    let line = i64::try_from(issue.line).unwrap_or(i64::MAX);
    pb::ImportIssue { line, column: issue.column, message: issue.message, severity: severity.into() }
}

/// The rows of a file are far fewer than an int32 counts.
fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// What an import did, from the answer that was kept.
pub fn import_report_from(kept: pb::ImportProductsResponse) -> ImportReport {
    let count = |number: i32| usize::try_from(number).unwrap_or_default();
    ImportReport {
        products_created: count(kept.products_created),
        products_updated: count(kept.products_updated),
        products_unchanged: count(kept.products_unchanged),
        products_refused: count(kept.products_refused),
        variants_created: count(kept.variants_created),
        variants_updated: count(kept.variants_updated),
        variants_unchanged: count(kept.variants_unchanged),
        issues: Issues::known(kept.issues.into_iter().map(issue_from).collect(), count(kept.issue_count)),
    }
}

fn issue_from(issue: pb::ImportIssue) -> Issue {
    let severity = match issue.severity() {
        pb::import_issue::Severity::Warning => Severity::Warning,
        pb::import_issue::Severity::Error | pb::import_issue::Severity::Unspecified => Severity::Error,
    };
    Issue {
        line: u64::try_from(issue.line).unwrap_or_default(),
        column: issue.column,
        message: issue.message,
        severity,
    }
}
