//! Metrics: what every service measures alike, and how they are read. Prometheus reads [`render`], which costs nothing while nobody
//! asks; with an OTLP endpoint they are sent as well. Names follow OpenTelemetry's semantic conventions, or begin with `kontor.`.
//!
//! Instruments are made when they are first used, after [`crate::telemetry::start`]; what was used before that stays silent.

mod process;

use std::sync::LazyLock;
use std::time::Duration;

pub use kontor_postgres::DURATION_BOUNDS;
use opentelemetry::metrics::{Counter, Gauge, Histogram, Meter};
use opentelemetry::{KeyValue, global};
use opentelemetry_otlp::MetricExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use prometheus::{Registry, TextEncoder};

/// Where the one provider of the process puts what Prometheus reads.
static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::new);

/// Metrics that can't be read.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct MetricsError(#[from] OTelSdkError);

/// Installs the provider of the process. Besides [`render`], the exporter gets the metrics, once a minute or as
/// `OTEL_METRIC_EXPORT_INTERVAL` says.
///
/// # Errors
/// When it was installed before.
pub fn start(resource: Resource, exporter: Option<MetricExporter>) -> Result<SdkMeterProvider, MetricsError> {
    let prometheus =
        opentelemetry_prometheus::exporter().with_registry(REGISTRY.clone()).scope_info_enabled(false).build()?;
    let builder = SdkMeterProvider::builder().with_resource(resource).with_reader(prometheus);
    let provider = match exporter {
        Some(exporter) => builder.with_periodic_exporter(exporter).build(),
        None => builder.build(),
    };
    global::set_meter_provider(provider.clone());
    observe_build();
    process::observe(&meter());
    Ok(provider)
}

/// All metrics of the process in the text format of Prometheus; nothing before telemetry was started.
pub fn render() -> String {
    TextEncoder::new().encode_to_string(&REGISTRY.gather()).unwrap_or_else(|error| {
        tracing::error!(%error, "metrics cannot be rendered");
        String::new()
    })
}

fn meter() -> Meter {
    global::meter("kontor_runtime")
}

static CALL_DURATION: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    meter()
        .f64_histogram("rpc.server.call.duration")
        .with_unit("s")
        .with_description("How long calls took, from their first byte to the last of the answer.")
        .with_boundaries(DURATION_BOUNDS.to_vec())
        .build()
});

static WORKER_FAILURES: LazyLock<Counter<u64>> = LazyLock::new(|| {
    meter()
        .u64_counter("kontor.worker.failures")
        .with_unit("{failure}")
        .with_description("Rounds of background work that failed.")
        .build()
});

static SHED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    meter()
        .u64_counter("kontor.requests.shed")
        .with_unit("{request}")
        .with_description("Requests refused at once, since too many were waiting.")
        .build()
});

static READY: LazyLock<Gauge<i64>> = LazyLock::new(|| {
    meter().i64_gauge("kontor.service.ready").with_description("1 while the service is ready, else 0.").build()
});

pub(crate) fn call_ended(attributes: &[KeyValue], took: Duration) {
    CALL_DURATION.record(took.as_secs_f64(), attributes);
}

pub(crate) fn worker_failed(name: &'static str) {
    WORKER_FAILURES.add(1, &[KeyValue::new("kontor.worker.name", name)]);
}

pub(crate) fn request_shed(reason: &'static str) {
    SHED.add(1, &[KeyValue::new("kontor.shed.reason", reason)]);
}

/// Tells whether a service of this process is ready.
pub fn set_ready(service: &'static str, is_ready: bool) {
    READY.record(is_ready.into(), &[KeyValue::new("kontor.service", service)]);
}

fn observe_build() {
    let build = [
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("kontor.commit", crate::program::COMMIT.unwrap_or("unknown")),
    ];
    meter()
        .i64_observable_gauge("kontor.build.info")
        .with_description("1, with the version and the commit that the program was built from.")
        .with_callback(move |observer| observer.observe(1, &build))
        .build();
}

#[cfg(test)]
mod tests {
    #[test]
    fn without_telemetry_there_is_nothing_to_read() {
        assert_eq!(super::render(), "");
    }
}
