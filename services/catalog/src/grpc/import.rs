//! The stream of `ImportProducts`.

use std::time::Duration;

use kontor_proto::kontor::catalog::v1 as pb;
use kontor_runtime::Fault;
use kontor_runtime::convert::currency_from_wire;
use kontor_runtime::fault::ErrorReason;
use tokio::time::timeout;
use tonic::{Code, Status, Streaming};

use crate::domain::import::{Issue, Severity};
use crate::ops::{Catalog, ImportReport, ImportSettings};

/// The most bytes of a file.
const FILE_MAX: usize = 64 * 1024 * 1024;
/// How long the next piece of the file may take to come.
const PIECE_WAIT_MAX: Duration = Duration::from_secs(10);
/// The media types that a file may be said to have. Browsers on Windows send the third for CSV.
const MEDIA_TYPES: [&str; 4] = ["text/csv", "application/csv", "application/vnd.ms-excel", "application/octet-stream"];

/// Reads the stream to its end and loads the file.
pub(super) async fn run(
    catalog: &Catalog,
    mut stream: Streaming<pb::ImportProductsRequest>,
) -> Result<pb::ImportProductsResponse, Status> {
    let first = next(&mut stream).await?.unwrap_or_default();
    let settings = settings(&first)?;
    let file = read(first, stream).await?;
    Ok(report(catalog.import(file, settings).await?))
}

/// RESOURCE_EXHAUSTED: as many imports as can be are running.
pub(super) fn too_many() -> Status {
    Fault::overloaded("other imports are running; try again when they have ended").into()
}

fn settings(first: &pb::ImportProductsRequest) -> Result<ImportSettings, Status> {
    let media_type = first.file.as_ref().map_or("", |file| &file.content_type);
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    if !media_type.is_empty() && !MEDIA_TYPES.iter().any(|known| known.eq_ignore_ascii_case(media_type)) {
        return Err(Fault::field("file.content_type", "must be text/csv").into());
    }
    let currency = currency_from_wire("currency_code", &first.currency_code)?;
    Ok(ImportSettings { currency, validate_only: first.validate_only })
}

async fn read(
    first: pb::ImportProductsRequest,
    mut stream: Streaming<pb::ImportProductsRequest>,
) -> Result<Vec<u8>, Status> {
    let mut file = Vec::new();
    let mut message = Some(first);
    while let Some(piece) = message {
        let data = piece.file.map(|file| file.data).unwrap_or_default();
        if file.len() + data.len() > FILE_MAX {
            return Err(too_large());
        }
        file.extend_from_slice(&data);
        message = next(&mut stream).await?;
    }
    Ok(file)
}

async fn next(stream: &mut Streaming<pb::ImportProductsRequest>) -> Result<Option<pb::ImportProductsRequest>, Status> {
    timeout(PIECE_WAIT_MAX, stream.message()).await.unwrap_or_else(|_| Err(too_slow()))
}

fn too_large() -> Status {
    let message = "the file is larger than 64 MiB; load it in parts";
    Fault::new(Code::ResourceExhausted, ErrorReason::RequestTooLarge, message).into()
}

fn too_slow() -> Status {
    let message = "no piece of the file came for 10 seconds; nothing was loaded";
    Fault::new(Code::DeadlineExceeded, ErrorReason::DeadlinePassed, message).into()
}

fn report(report: ImportReport) -> pb::ImportProductsResponse {
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
