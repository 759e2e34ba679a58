//! Logs and traces. Logs go to standard error, filtered by `RUST_LOG`; each line carries its trace id. Traces go out by OTLP
//! when the standard environment asks for it: `OTEL_EXPORTER_OTLP_ENDPOINT`, with `OTEL_EXPORTER_OTLP_PROTOCOL`
//! `grpc` (the default here) or `http/protobuf`.

use std::env;
use std::io::IsTerminal;

use opentelemetry::global;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use crate::settings::LogFormat;

/// What is logged when `RUST_LOG` says nothing.
const DEFAULT_FILTER: &str = "info,sqlx=warn,h2=warn,hyper=warn,tower=warn,opentelemetry=warn";

/// Telemetry that could not start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("traces can't be exported: check OTEL_EXPORTER_OTLP_ENDPOINT")]
    Exporter(#[from] ExporterBuildError),
    #[error("telemetry was started twice")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
}

/// Keeps telemetry going; dropping it sends what is left.
#[must_use = "dropping this ends telemetry"]
pub struct Telemetry {
    provider: SdkTracerProvider,
}

/// Starts logs and traces for the process. Needs a running tokio runtime.
pub fn start(service_name: &str, _log_format: LogFormat) -> Result<Telemetry, TelemetryError> {
    global::set_text_map_propagator(TraceContextPropagator::new());
    let provider = provider(service_name)?;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let logs = fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal()).with_target(false);
    let traces = tracing_opentelemetry::layer().with_tracer(provider.tracer("kontor"));
    // What is logged is one question, what is traced another: with RUST_LOG=warn a purchase still is one trace.
    let traces = traces.with_filter(EnvFilter::new(DEFAULT_FILTER));
    tracing_subscriber::registry().with(traces).with(logs.with_filter(filter)).try_init()?;
    std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "panicked")));
    Ok(Telemetry { provider })
}

fn provider(service_name: &str) -> Result<SdkTracerProvider, TelemetryError> {
    let builder = SdkTracerProvider::builder().with_resource(resource(service_name));
    if !export_is_asked_for() {
        // Trace ids are still made and passed on; nothing is recorded.
        return Ok(builder.with_sampler(Sampler::AlwaysOff).build());
    }
    Ok(builder.with_batch_exporter(exporter()?).build())
}

fn export_is_asked_for() -> bool {
    let set = |name: &str| env::var(name).is_ok_and(|value| !value.is_empty());
    set("OTEL_EXPORTER_OTLP_ENDPOINT") || set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
}

fn exporter() -> Result<SpanExporter, ExporterBuildError> {
    let specific = env::var("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL");
    match specific.or_else(|_| env::var("OTEL_EXPORTER_OTLP_PROTOCOL")).as_deref() {
        Ok("http/protobuf") => SpanExporter::builder().with_http().build(),
        _ => SpanExporter::builder().with_tonic().build(),
    }
}

fn resource(service_name: &str) -> Resource {
    let builder = Resource::builder();
    match env::var("OTEL_SERVICE_NAME") {
        Ok(_) => builder.build(),
        Err(_) => builder.with_service_name(service_name.to_owned()).build(),
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Err(error) = self.provider.shutdown() {
            tracing::warn!(%error, "some traces were not sent");
        }
    }
}
