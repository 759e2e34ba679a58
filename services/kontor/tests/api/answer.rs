//! Answers of the HTTP API, and what every refusal must look like.

use reqwest::RequestBuilder;
use reqwest::header::HeaderMap;
use serde_json::Value;

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// Null if it is no JSON.
    pub(crate) body: Value,
}

/// What a request is, the request, and its refusal: status, reason, and the first field at fault (empty: none is named).
pub(crate) type Refusal<'a> = (&'a str, RequestBuilder, u16, &'a str, &'a str);

impl Answer {
    pub(crate) async fn to(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap_or_default();
        Self { status, headers, body }
    }

    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        assert_eq!(self.headers["content-type"], "application/json");
        self.body
    }

    /// The problem in a refusal with this status and reason.
    pub(crate) fn refused(self, status: u16, reason: &str) -> Value {
        self.assert_problem();
        assert_eq!((self.status, self.body["reason"].as_str()), (status, Some(reason)), "{}", self.body);
        self.body
    }

    /// A refusal is a problem (RFC 9457) with the contract's members, whatever the reason.
    pub(crate) fn assert_problem(&self) {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{}", self.body);
        assert_eq!(self.body["status"], self.status, "{}", self.body);
        assert_eq!(self.body["domain"], "kontor", "{}", self.body);
        assert_eq!(self.body["requestId"], self.headers["x-request-id"].to_str().unwrap());
        assert!(!self.body["detail"].as_str().unwrap().is_empty(), "{}", self.body);
    }
}

/// The first field at fault; empty if none is named.
pub(crate) fn field(problem: &Value) -> &str {
    problem["violations"][0]["field"].as_str().unwrap_or_default()
}

/// Sends each request and compares its refusal; all that differ are told together.
pub(crate) async fn assert_refused(cases: Vec<Refusal<'_>>) {
    let mut wrong = Vec::new();
    for (what, request, status, reason, at_fault) in cases {
        let answer = Answer::to(request).await;
        let got = (answer.status, answer.body["reason"].as_str().unwrap_or_default(), field(&answer.body));
        if got != (status, reason, at_fault) {
            wrong.push(format!("{what}: {status} {reason} {at_fault:?} was expected, and came {}", answer.body));
            continue;
        }
        answer.assert_problem();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
