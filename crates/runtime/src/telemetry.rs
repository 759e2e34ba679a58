//! Logs, traces and metrics. Logs go to standard error, filtered by `RUST_LOG`; each line of a call carries its trace id. Traces and
//! metrics go out by OTLP when the standard environment asks for it: `OTEL_EXPORTER_OTLP_ENDPOINT`, with
//! `OTEL_EXPORTER_OTLP_PROTOCOL` `grpc` (the default here) or `http/protobuf`, each with its own variant for traces and metrics.
//! `OTEL_TRACES_EXPORTER=none` and `OTEL_METRICS_EXPORTER=none` turn one of them off. `OTEL_TRACES_SAMPLER` says which traces are sent.

use std::env;
use std::io::IsTerminal;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{ExporterBuildError, MetricExporter, SpanExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt, Targets, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use crate::log_format::JsonLines;
use crate::metrics;
pub use crate::settings::LogFormat;

/// What is logged when `RUST_LOG` says nothing.
const DEFAULT_FILTER: &str = "info,sqlx=warn,h2=warn,hyper=warn,tower=warn,opentelemetry=warn";
/// How the targets of our own spans and events begin. What libraries trace of themselves is not exported.
const OWN_TARGETS: &str = "kontor";

/// How a process tells of itself, beyond what the environment says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    pub log_format: LogFormat,
}

/// Telemetry that could not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("OTLP export is not possible: check OTEL_EXPORTER_OTLP_ENDPOINT")]
    Exporter(#[from] ExporterBuildError),
    #[error("metrics can't be read")]
    Metrics(#[from] metrics::MetricsError),
    #[error("telemetry was started twice")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
}

/// Keeps telemetry going; dropping it sends what is left.
#[must_use = "dropping this ends telemetry"]
pub struct Telemetry {
    traces: Option<SdkTracerProvider>,
    metrics: SdkMeterProvider,
}

/// Starts logs, traces and metrics for the process. Needs a running tokio runtime.
///
/// # Errors
/// When what the environment asks for is not possible, or telemetry was started before.
pub fn start(service_name: &str, options: Options) -> Result<Telemetry, TelemetryError> {
    let resource = resource(service_name);
    let metrics = metrics::start(resource.clone(), metric_exporter()?)?;
    let traces = span_exporter()?
        .map(|exporter| SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build());
    let exported = traces.as_ref().map(exported);
    tracing_subscriber::registry().with(exported).with(logs(options.log_format)).try_init()?;
    std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "panicked")));
    Ok(Telemetry { traces, metrics })
}

/// Lines on standard error. Our own spans are in them whatever `RUST_LOG` says, so that a warning carries its trace id also where
/// nothing but warnings is logged; and so that traces are passed on, which needs the spans.
fn logs<S>(format: LogFormat) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines: Box<dyn Layer<S> + Send + Sync> = match format {
        LogFormat::Text => Box::new(lines.with_ansi(std::io::stderr().is_terminal()).with_target(false)),
        LogFormat::Json => Box::new(lines.fmt_fields(fmt::format::JsonFields::new()).event_format(JsonLines::new())),
    };
    lines.with_filter(filter.or(filter_fn(is_own_span).with_max_level_hint(LevelFilter::INFO)))
}

fn is_own_span(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && *metadata.level() <= tracing::Level::INFO && metadata.target().starts_with(OWN_TARGETS)
}

/// Exports our own spans and the events in them. What is logged is one question, what is traced another: with RUST_LOG=warn a purchase
/// still is one trace. What would cost something at each poll of a future, or on each span, and tell little, is turned off.
fn exported<S>(provider: &SdkTracerProvider) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
{
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("kontor"))
        .with_context_activation(false)
        .with_tracked_inactivity(false)
        .with_location(false)
        .with_threads(false)
        .with_filter(Targets::new().with_target(OWN_TARGETS, LevelFilter::INFO))
}

fn span_exporter() -> Result<Option<SpanExporter>, ExporterBuildError> {
    match protocol("TRACES") {
        None => Ok(None),
        Some(Protocol::Grpc) => SpanExporter::builder().with_tonic().build().map(Some),
        Some(Protocol::Http) => SpanExporter::builder().with_http().build().map(Some),
    }
}

fn metric_exporter() -> Result<Option<MetricExporter>, ExporterBuildError> {
    match protocol("METRICS") {
        None => Ok(None),
        Some(Protocol::Grpc) => MetricExporter::builder().with_tonic().build().map(Some),
        Some(Protocol::Http) => MetricExporter::builder().with_http().build().map(Some),
    }
}

enum Protocol {
    Grpc,
    Http,
}

/// How the signal is exported, if the environment asks for it.
fn protocol(signal: &str) -> Option<Protocol> {
    let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let of_signal = |name: &str| {
        variable(&format!("OTEL_EXPORTER_OTLP_{signal}_{name}"))
            .or_else(|| variable(&format!("OTEL_EXPORTER_OTLP_{name}")))
    };
    if variable(&format!("OTEL_{signal}_EXPORTER")).as_deref() == Some("none") {
        return None;
    }
    of_signal("ENDPOINT")?;
    Some(if of_signal("PROTOCOL").as_deref() == Some("http/protobuf") { Protocol::Http } else { Protocol::Grpc })
}

/// What all telemetry of this process is labelled with. The environment's words count more than ours.
fn resource(service_name: &str) -> Resource {
    let own = [
        KeyValue::new("service.name", service_name.to_owned()),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", uuid::Uuid::new_v4().to_string()),
    ];
    let resource = Resource::builder_empty()
        .with_attributes(own)
        .with_detectors(&[Box::new(TelemetryResourceDetector), Box::new(EnvResourceDetector::new())]);
    match env::var("OTEL_SERVICE_NAME") {
        Ok(name) if !name.is_empty() => resource.with_service_name(name).build(),
        _ => resource.build(),
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.traces.as_ref().map(SdkTracerProvider::shutdown) {
            tracing::warn!(%error, "some traces were not sent");
        }
        if let Err(error) = self.metrics.shutdown() {
            tracing::warn!(%error, "some metrics were not sent");
        }
    }
}
