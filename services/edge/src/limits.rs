//! The edge's limits, all in one place.

use std::time::Duration;

/// Bytes of a JSON body, at most.
pub(crate) const JSON_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of an uploaded file, at most.
pub(crate) const UPLOAD_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Bytes of an uploaded file in one gRPC message, at most.
pub(crate) const UPLOAD_PIECE_BYTES_MAX: usize = 256 * 1024;
/// Bytes of an answer from a service, at most.
pub(crate) const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Characters of a caller's own request id, at most; a longer one is replaced.
pub(crate) const REQUEST_ID_CHARS_MAX: usize = 128;

/// Bytes of a refused body that are read and thrown away, so that the caller gets the answer, at most.
pub(crate) const REST_BYTES_MAX: usize = 8 * 1024 * 1024;
pub(crate) const REST_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a call to a service may take.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(15);
/// How long an upload may take, from its first byte to the service's answer.
pub(crate) const UPLOAD_TIMEOUT: Duration = Duration::from_secs(300);
/// How long a caller may take to send a JSON body, or the next bytes of a file.
pub(crate) const BODY_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a service may take to say whether it is ready.
pub(crate) const READY_TIMEOUT: Duration = Duration::from_secs(1);
