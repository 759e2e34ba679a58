//! What is measured of HTTP requests: `http.server.request.duration`.

use std::sync::LazyLock;
use std::time::Instant;

use http::{Method, StatusCode};
use kontor_runtime::metrics::DURATION_BOUNDS;
use opentelemetry::metrics::Histogram;
use opentelemetry::{KeyValue, global};

use crate::route::Route;

static REQUEST_DURATION: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    global::meter("kontor_edge")
        .f64_histogram("http.server.request.duration")
        .with_unit("s")
        .with_description("How long requests took until their response was ready.")
        .with_boundaries(DURATION_BOUNDS.to_vec())
        .build()
});

/// A request that is under way. It is measured when this is dropped: without a status, its client has left.
pub(crate) struct Measured {
    attributes: Vec<KeyValue>,
    began: Instant,
}

impl Measured {
    /// The route is the template, and never the path: callers must not make up values.
    pub(crate) fn begin(method: &Method, route: Option<&Route>) -> Self {
        let mut attributes = Vec::with_capacity(4);
        attributes.push(KeyValue::new("http.request.method", method_name(method)));
        attributes.push(KeyValue::new("url.scheme", "http"));
        attributes.extend(route.map(|route| KeyValue::new("http.route", route.path.clone())));
        Self { attributes, began: Instant::now() }
    }

    pub(crate) fn end(mut self, status: StatusCode) {
        self.attributes.push(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        REQUEST_DURATION.record(self.began.elapsed().as_secs_f64(), &self.attributes);
    }
}

/// The methods that HTTP defines; a client may send any word.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::TRACE => "TRACE",
        Method::CONNECT => "CONNECT",
        _ => "_OTHER",
    }
}
