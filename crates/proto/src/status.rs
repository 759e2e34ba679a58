//! Statuses that fit into trailers. Most gRPC implementations take 8 KiB of those; some end the connection, which other calls share,
//! when there are more. What is cut off is counted in the message.

use std::collections::HashMap;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, PreconditionViolation, StatusExt};

/// How many violations are listed at most.
pub const VIOLATIONS_MAX: usize = 20;
/// How many bytes the texts of all violations have at most.
const VIOLATION_BYTES_MAX: usize = 2048;
/// How many bytes a single text has at most: a message, a description, a value of the metadata. gRPC writes three for one that is not
/// ASCII.
const TEXT_BYTES_MAX: usize = 512;

/// A status with as much of these details as fits.
pub fn status(code: Code, message: &str, mut details: ErrorDetails) -> Status {
    let fields = details.bad_request().map(|found| found.field_violations.clone()).unwrap_or_default();
    let conditions = details.precondition_failure().map(|found| found.violations.clone()).unwrap_or_default();
    let count = fields.len() + conditions.len();
    let mut budget = Budget { violations: VIOLATIONS_MAX, bytes: VIOLATION_BYTES_MAX };
    let fields: Vec<_> =
        fields.into_iter().map(short_field).take_while(|it| budget.takes(&[&it.field, &it.description])).collect();
    let conditions: Vec<_> = conditions
        .into_iter()
        .map(short_condition)
        .take_while(|it| budget.takes(&[&it.r#type, &it.subject, &it.description]))
        .collect();
    let left_out = count - fields.len() - conditions.len();
    if details.bad_request().is_some() {
        details.set_bad_request(fields);
    }
    if details.precondition_failure().is_some() {
        details.set_precondition_failure(conditions);
    }
    if let Some(info) = details.error_info().cloned() {
        let metadata = info.metadata.into_iter().map(|(key, value)| (key, short(value)));
        details.set_error_info(info.reason, info.domain, metadata.collect::<HashMap<_, _>>());
    }
    let message = short(message.to_owned());
    let message = if left_out == 0 { message } else { format!("{message} (and {left_out} more)") };
    Status::with_error_details(code, message, details)
}

/// What may still be listed.
struct Budget {
    violations: usize,
    bytes: usize,
}

impl Budget {
    fn takes(&mut self, texts: &[&String]) -> bool {
        let bytes = texts.iter().map(|text| text.len()).sum();
        let (Some(violations), Some(bytes)) = (self.violations.checked_sub(1), self.bytes.checked_sub(bytes)) else {
            return false;
        };
        *self = Self { violations, bytes };
        true
    }
}

fn short_field(violation: FieldViolation) -> FieldViolation {
    FieldViolation::new(short(violation.field), short(violation.description))
}

fn short_condition(violation: PreconditionViolation) -> PreconditionViolation {
    PreconditionViolation::new(violation.r#type, short(violation.subject), short(violation.description))
}

fn short(mut text: String) -> String {
    if text.len() > TEXT_BYTES_MAX {
        text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX - '…'.len_utf8()));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As HTTP/2 counts headers (RFC 9113, section 6.5.2).
    fn trailer_bytes(status: &Status) -> usize {
        let answer = status.clone().into_http::<tonic::body::Body>();
        answer.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum()
    }

    #[test]
    fn whatever_is_told_fits_into_trailers() {
        for text in [String::new(), "a".repeat(100), "ü".repeat(300), "a".repeat(100_000)] {
            let mut details = ErrorDetails::with_error_info(
                &text[..0],
                "kontor",
                [("resource".to_owned(), text.clone()), ("sku".to_owned(), text.clone())],
            );
            for _ in 0..1000 {
                details.add_bad_request_violation(&text, &text);
                details.add_precondition_failure_violation("INSUFFICIENT_STOCK", &text, &text);
            }
            let status = status(Code::InvalidArgument, &text, details);
            assert!(trailer_bytes(&status) < 8 * 1024, "{} bytes", trailer_bytes(&status));
            assert!(status.message().ends_with("more)"), "{}", status.message());
        }
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        let mut details = ErrorDetails::new();
        details.add_bad_request_violation("name", "is required");
        let status = status(Code::InvalidArgument, "name: is required", details.clone());
        assert_eq!(status.message(), "name: is required");
        assert_eq!(format!("{:?}", status.get_error_details()), format!("{details:?}"));
    }
}
