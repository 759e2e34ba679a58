//! Reads a small body whole, within a size and a time.

use axum::body::Body;
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kontor_proto::kontor::error::v1::ErrorReason;
use tokio::time::timeout;
use tonic::Code;

use crate::limits::BODY_TIMEOUT;
use crate::problem::{Problem, Result};

/// All bytes of the body. 413 if there are too many, before any is read where the header tells so; 408 if they don't come.
pub(crate) async fn read(body: Body, headers: &HeaderMap, bytes_max: usize) -> Result<Bytes> {
    check_length(headers, bytes_max as u64)?;
    let read = timeout(BODY_TIMEOUT, Limited::new(body, bytes_max).collect()).await.map_err(|_| stalled())?;
    match read {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Problem::too_large(bytes_max as u64)),
        Err(_) => Err(broken_off()),
    }
}

/// 413 if the header tells of too many bytes.
pub(crate) fn check_length(headers: &HeaderMap, bytes_max: u64) -> Result<()> {
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > bytes_max) { Err(Problem::too_large(bytes_max)) } else { Ok(()) }
}

/// 415 if the body is compressed.
pub(crate) fn check_plain(headers: &HeaderMap) -> Result<()> {
    match headers.get(CONTENT_ENCODING) {
        None => Ok(()),
        Some(encoding) if encoding == "identity" => Ok(()),
        Some(_) => {
            let problem = Problem::malformed("", "the body must be sent without Content-Encoding");
            Err(problem.with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE))
        }
    }
}

/// 408: the body did not come in time.
pub(crate) fn stalled() -> Box<Problem> {
    let detail = "the body did not arrive in time";
    Problem::new(Code::DeadlineExceeded, ErrorReason::DeadlinePassed, detail).with_status(StatusCode::REQUEST_TIMEOUT)
}

/// 400: the connection ended before the body did.
pub(crate) fn broken_off() -> Box<Problem> {
    Problem::malformed("", "the body broke off before its end")
}
