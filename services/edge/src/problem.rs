//! Errors as HTTP answers (RFC 9457), all of one shape, whether a service or the edge itself refuses.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::response::Response;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use kontor_proto::codec::ERROR_DOMAIN;
use kontor_proto::kontor::error::v1::ErrorReason;
use kontor_runtime::fault::code_name;
use serde::Serialize;
use tonic::Code;

use crate::codes::http_status;

/// The header that names a request, in and out.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

pub(crate) type Result<T> = std::result::Result<T, Box<Problem>>;

/// Why a request gets no proper answer.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    /// What went wrong inside: for the log, never for the caller.
    pub(crate) cause: Option<String>,
    pub(crate) code: Code,
    pub(crate) reason: String,
    pub(crate) domain: String,
    pub(crate) detail: String,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) violations: Vec<Violation>,
    /// Seconds after which to try again.
    pub(crate) retry_after: Option<u64>,
    /// The methods that the route has, when it lacks the one asked for.
    pub(crate) allow: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Violation {
    /// Its path, in JSON spelling; empty for the request as a whole.
    pub(crate) field: String,
    pub(crate) description: String,
}

/// The body, as RFC 9457 and this contract name its members.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProblemBody<'a> {
    r#type: String,
    title: String,
    status: u16,
    detail: &'a str,
    code: &'static str,
    reason: &'a str,
    domain: &'a str,
    metadata: &'a BTreeMap<String, String>,
    violations: &'a [Violation],
    request_id: &'a str,
}

impl Problem {
    /// With the status that belongs to the code.
    pub(crate) fn new(code: Code, reason: ErrorReason, detail: impl Into<String>) -> Box<Self> {
        Box::new(Self {
            status: http_status(code),
            cause: None,
            code,
            reason: reason.as_str_name().to_owned(),
            domain: ERROR_DOMAIN.to_owned(),
            detail: detail.into(),
            metadata: BTreeMap::new(),
            violations: Vec::new(),
            retry_after: None,
            allow: None,
        })
    }

    /// 400: a field of the request is not what its type asks for.
    pub(crate) fn malformed(field: impl Into<String>, description: impl Into<String>) -> Box<Self> {
        let violation = Violation { field: field.into(), description: description.into() };
        let detail = match violation.field.as_str() {
            "" => violation.description.clone(),
            field => format!("{field}: {}", violation.description),
        };
        let mut problem = Self::new(Code::InvalidArgument, ErrorReason::MalformedRequest, detail);
        problem.violations.push(violation);
        problem
    }

    /// 413: the body has more bytes than this.
    pub(crate) fn too_large(bytes_max: u64) -> Box<Self> {
        let detail = format!("the body is larger than {bytes_max} bytes");
        Self::new(Code::ResourceExhausted, ErrorReason::RequestTooLarge, detail)
            .with_status(StatusCode::PAYLOAD_TOO_LARGE)
    }

    /// 500: a fault of ours, told to the log only.
    pub(crate) fn fault(cause: impl Into<String>) -> Box<Self> {
        let detail = "something went wrong on our side; the request id helps to find out what";
        let mut problem = Self::new(Code::Internal, ErrorReason::InternalFault, detail);
        problem.cause = Some(cause.into());
        problem
    }

    /// Another status than the one that belongs to the code.
    pub(crate) fn with_status(mut self: Box<Self>, status: StatusCode) -> Box<Self> {
        self.status = status;
        self
    }

    /// With the fields as the caller knows them, who sent the message in the body field and not around it.
    pub(crate) fn without_prefix(mut self: Box<Self>, prefix: Option<&str>) -> Box<Self> {
        let Some(prefix) = prefix else { return self };
        for text in self.violations.iter_mut().map(|violation| &mut violation.field).chain([&mut self.detail]) {
            if let Some(short) = text.strip_prefix(prefix) {
                *text = short.to_owned();
            }
        }
        self
    }

    pub(crate) fn into_response(self, request_id: &str) -> Response {
        let body = ProblemBody {
            r#type: format!("urn:{}:error:{}", self.domain, self.reason),
            title: title(&self.reason),
            status: self.status.as_u16(),
            detail: &self.detail,
            code: code_name(self.code),
            reason: &self.reason,
            domain: &self.domain,
            metadata: &self.metadata,
            violations: &self.violations,
            request_id,
        };
        let mut response = Response::new(Body::from(serde_json::to_vec(&body).unwrap_or_default()));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.extend(HeaderValue::try_from(request_id).ok().map(|id| (REQUEST_ID, id)));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(allow) = self.allow.and_then(|methods| HeaderValue::try_from(methods).ok()) {
            headers.insert(ALLOW, allow);
        }
        response
    }
}

/// The reason in words: "Field violation".
fn title(reason: &str) -> String {
    let words = reason.to_lowercase().replace('_', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
