//! The stream of `ImportProducts`.

use std::time::Duration;

use bytes::Bytes;
use kontor_postgres::idempotency::Key;
use kontor_proto::google::api::HttpBody;
use kontor_proto::kontor::catalog::v1 as pb;
use kontor_runtime::convert::currency_from_wire;
use kontor_runtime::fault::{self, ErrorReason};
use kontor_runtime::{Caller, Fault, Standing};
use tokio::time::timeout;
use tonic::{Code, Status, Streaming};

use crate::ops::{Catalog, ImportSettings};
use crate::wire;

/// The most bytes of a file.
const FILE_MAX: usize = 64 * 1024 * 1024;
/// How long the next piece of the file may take to come.
const PIECE_WAIT_MAX: Duration = Duration::from_secs(10);
/// The media types that a file may be said to have. Browsers on Windows send the third for CSV.
const MEDIA_TYPES: [&str; 4] = ["text/csv", "application/csv", "application/vnd.ms-excel", "application/octet-stream"];

/// Reads the stream to its end and loads the file.
pub(super) async fn run(
    catalog: &Catalog,
    (caller, standing): (&Caller, &Standing),
    mut stream: Streaming<pb::ImportProductsRequest>,
) -> Result<pb::ImportProductsResponse, Status> {
    let mut first = next(&mut stream).await?.unwrap_or_default();
    let settings = settings(&first)?;
    let piece = first.file.take().unwrap_or_default().data;
    let file = read(piece, stream).await?;
    let (caller, whole) = (caller.subject.to_string(), file.clone());
    // Reading all of a large file takes a while, which a thread that drives other calls has not.
    let key = tokio::task::spawn_blocking(move || key(caller, first, whole)).await;
    let key = key.map_err(|error| fault::internal(&error))?;
    let report = catalog.import(file, settings, key, &|| standing.check().is_ok()).await?;
    Ok(wire::import_report(report))
}

/// By what a repetition is recognised: the settings and the whole file, however it was cut into pieces.
fn key(caller: String, settings: pb::ImportProductsRequest, file: Bytes) -> Option<Key> {
    let file = Some(HttpBody { data: file, ..HttpBody::default() });
    let mut whole = pb::ImportProductsRequest { file, ..settings };
    Key::take(caller, "ImportProducts", &mut whole, |whole| &mut whole.request_id)
}

/// RESOURCE_EXHAUSTED: as many imports as can be are running.
pub(super) fn too_many() -> Status {
    Fault::overloaded("imports", "other imports are running; try again when they have ended").into()
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

async fn read(first: Bytes, mut stream: Streaming<pb::ImportProductsRequest>) -> Result<Bytes, Status> {
    let mut file = Vec::new();
    let mut piece = Some(first);
    while let Some(data) = piece {
        if file.len() + data.len() > FILE_MAX {
            return Err(too_large());
        }
        file.extend_from_slice(&data);
        piece = next(&mut stream).await?.map(|message| message.file.unwrap_or_default().data);
    }
    Ok(file.into())
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
