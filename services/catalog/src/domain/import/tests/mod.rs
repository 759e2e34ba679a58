//! Files, good and bad, as people have them.

mod fields;
mod files;
mod plans;

use kontor_types::Currency;

use super::{Issue, Malformed, ProductDraft, ProductFile, Severity, read};

/// The columns that most tests use.
const HEADER: &str = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Qty,Variant Price";

fn parse(text: &str) -> Result<ProductFile, Malformed> {
    read(text.as_bytes(), Currency::USD)
}

/// Rows below [`HEADER`], in US dollars.
fn parse_rows(rows: &str) -> ProductFile {
    parse(&format!("{HEADER}\n{rows}")).unwrap()
}

/// The one product of a file without issues.
fn product(text: &str) -> ProductDraft {
    let file = parse(text).unwrap();
    assert_eq!(file.issues.clone().into_first(), []);
    let [draft] = <[ProductDraft; 1]>::try_from(file.drafts).unwrap();
    draft
}

/// Line, column and message of each issue of a severity.
fn issues(file: &ProductFile, severity: Severity) -> Vec<(u64, String, String)> {
    let issues = file.issues.clone().into_first().into_iter();
    let found = issues.filter(|issue| issue.severity == severity);
    found.map(|Issue { line, column, message, .. }| (line, column, message)).collect()
}

fn errors(file: &ProductFile) -> Vec<(u64, String, String)> {
    issues(file, Severity::Error)
}

/// Where the errors of a file are: line and column.
fn places(file: &ProductFile) -> Vec<(u64, String)> {
    errors(file).into_iter().map(|(line, column, _)| (line, column)).collect()
}

/// Asserts that a file has just one error, there, with these words in its message, and that its product stays out.
fn assert_refused(file: &ProductFile, line: u64, column: &str, words: &str) {
    let errors = errors(file);
    let [(found_line, found_column, message)] = &errors[..] else { panic!("{errors:?}") };
    assert_eq!((*found_line, found_column.as_str()), (line, column), "{message}");
    assert!(message.contains(words), "{message:?} does not say {words:?}");
    assert_eq!(file.refused, 1);
}
