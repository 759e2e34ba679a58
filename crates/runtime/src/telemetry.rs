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
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, TracerProviderBuilder};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt, dynamic_filter_fn, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use crate::log_format::JsonLines;
use crate::metrics;
use crate::propagation::{Beginning, TRACE_ID};
use crate::sampling::{SampledIds, Sampling};
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
    #[error("OTEL_TRACES_SAMPLER is not valid: {0}")]
    Sampling(String),
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
    let traces =
        span_exporter()?.map(|exporter| provider().with_resource(resource).with_batch_exporter(exporter).build());
    let sampling = Sampling::from_environment().map_err(TelemetryError::Sampling)?;
    let exported = traces.as_ref().map(|provider| exported(provider, sampling));
    tracing_subscriber::registry().with(exported).with(logs(options.log_format, std::io::stderr)).try_init()?;
    std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "panicked")));
    Ok(Telemetry { traces, metrics })
}

/// Lines for the log. Our own spans are in them whatever `RUST_LOG` says, so that a warning carries its trace id also where
/// nothing but warnings is logged; and so that traces are passed on, which needs the spans.
fn logs<S, W>(format: LogFormat, writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let asked = env::var(EnvFilter::DEFAULT_ENV).ok().filter(|filter| !filter.is_empty());
    let filter = EnvFilter::new(asked.as_deref().unwrap_or(DEFAULT_FILTER));
    let lines = fmt::layer().with_writer(writer);
    let lines: Box<dyn Layer<S> + Send + Sync> = match format {
        LogFormat::Text => Box::new(lines.with_ansi(std::io::stderr().is_terminal()).with_target(false)),
        LogFormat::Json => Box::new(lines.fmt_fields(fmt::format::JsonFields::new()).event_format(JsonLines::new())),
    };
    lines.with_filter(filter.or(filter_fn(is_own_span).with_max_level_hint(LevelFilter::INFO)))
}

fn is_own_span(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && is_own(metadata)
}

fn is_own(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= tracing::Level::INFO && metadata.target().starts_with(OWN_TARGETS)
}

/// Exports our own spans and the events in them, of sampled traces. What is logged is one question, what is traced another: with
/// RUST_LOG=warn a purchase still is one trace. What would cost something at each poll of a future, or on each span, and tell little, is
/// turned off.
fn exported<S>(provider: &SdkTracerProvider, sampling: Sampling) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("kontor"))
        .with_context_activation(false)
        .with_tracked_inactivity(false)
        .with_location(false)
        .with_threads(false)
        .with_filter(
            dynamic_filter_fn(move |metadata, context| is_exported(metadata, context, &sampling))
                .with_callsite_filter(
                    |metadata| if is_own(metadata) { Interest::sometimes() } else { Interest::never() },
                )
                .with_max_level_hint(LevelFilter::INFO),
        )
}

/// A span is exported if its call is sampled, or if it lies in an exported one; an event, if it does. (The context has the spans that
/// passed this filter only.)
fn is_exported<S>(metadata: &Metadata<'_>, context: &Context<'_, S>, sampling: &Sampling) -> bool
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    if metadata.is_span() && metadata.fields().field(TRACE_ID).is_some() {
        return Beginning::current(|beginning| sampling.samples(beginning)) == Some(true);
    }
    context.lookup_current().is_some()
}

/// Makes traces for [`exported`], which has sampled them.
fn provider() -> TracerProviderBuilder {
    SdkTracerProvider::builder().with_sampler(Sampler::AlwaysOn).with_id_generator(SampledIds::default())
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

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use http::HeaderMap;
    use kontor_postgres::testing::{role, server};
    use kontor_postgres::{PoolOptions, connect};
    use opentelemetry_sdk::trace::InMemorySpanExporter;
    use serde_json::Value;
    use tracing::Instrument;
    use tracing::subscriber::DefaultGuard;

    use super::*;
    use crate::propagation;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(line)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Lines {
        /// Logs as a process without an exporter does, on this thread.
        fn log(&self, format: LogFormat) -> DefaultGuard {
            let lines = self.clone();
            tracing_subscriber::registry().with(logs(format, move || lines.clone())).set_default()
        }

        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }

        fn json(&self) -> Vec<Value> {
            self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        }
    }

    fn callers_headers(flags: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", format!("00-{TRACE}-b7ad6b7169203331-{flags}").parse().unwrap());
        headers.insert("tracestate", "vendor=x".parse().unwrap());
        headers
    }

    /// The span of a call, inside the trace of these headers.
    fn span(headers: &HeaderMap) -> tracing::Span {
        propagation::adopt(headers, || {
            tracing::info_span!("rpc", rpc.method = "Test", trace_id = tracing::field::Empty)
        })
    }

    fn passed_on() -> HeaderMap {
        let mut headers = HeaderMap::new();
        propagation::inject(&mut headers);
        headers
    }

    #[test]
    fn a_line_of_json_names_its_trace_its_span_and_its_fields() {
        let lines = Lines::default();
        let _log = lines.log(LogFormat::Json);
        tracing::info!("outside");
        span(&callers_headers("01")).in_scope(|| {
            let _inner = tracing::info_span!("step", number = 2).entered();
            tracing::warn!(order = "o-1", "a \"quoted\" message");
        });
        let [outside, inside] = &lines.json()[..] else { panic!("{}", lines.text()) };
        assert_eq!((&outside["message"], outside.get("trace_id")), (&"outside".into(), None));
        assert_eq!(inside["trace_id"], TRACE);
        assert_eq!((&inside["level"], &inside["message"]), (&"WARN".into(), &"a \"quoted\" message".into()));
        assert_eq!((&inside["order"], &inside["span"]["name"]), (&"o-1".into(), &"step".into()));
        assert!(inside["timestamp"].as_str().unwrap().ends_with('Z'), "{inside}");
    }

    #[test]
    fn without_an_exporter_the_callers_trace_is_passed_on_as_it_came() {
        let lines = Lines::default();
        let _log = lines.log(LogFormat::Text);
        for flags in ["00", "01"] {
            let callers = callers_headers(flags);
            span(&callers).in_scope(|| {
                assert_eq!(passed_on(), callers);
                let _inner = tracing::info_span!("inner").entered();
                assert_eq!(propagation::current().as_deref(), callers["traceparent"].to_str().ok());
                tracing::info!("said");
            });
        }
        assert_eq!(lines.text().matches(TRACE).count(), 2, "{}", lines.text());
    }

    #[test]
    fn a_call_without_a_trace_begins_one() {
        let lines = Lines::default();
        let _log = lines.log(LogFormat::Text);
        assert_eq!(passed_on(), HeaderMap::new(), "outside of any call");
        let began = ["", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"].map(|traceparent| {
            let mut headers = HeaderMap::new();
            headers.insert("traceparent", traceparent.parse().unwrap());
            span(&headers).in_scope(|| {
                tracing::info!("said");
                propagation::current().unwrap()
            })
        });
        assert_ne!(began[0], began[1]);
        for traceparent in began {
            let parts: Vec<_> = traceparent.split('-').collect();
            let ["00", trace_id, _, "00"] = parts[..] else { panic!("{traceparent}") };
            assert!(lines.text().contains(trace_id), "{}", lines.text());
            assert_ne!(trace_id, TRACE);
        }
        // What was kept in a row goes on as well.
        let row = format!("00-{TRACE}-b7ad6b7169203331-01");
        let again =
            propagation::adopt_parent(Some(&row), || tracing::info_span!("again", trace_id = tracing::field::Empty));
        assert_eq!(again.in_scope(propagation::current), Some(row));
    }

    /// Exports as a process with an exporter does, on this thread.
    fn export(sampler: &str) -> (DefaultGuard, SdkTracerProvider, InMemorySpanExporter) {
        let exporter = InMemorySpanExporter::default();
        let provider = provider().with_simple_exporter(exporter.clone()).build();
        let logs = logs(LogFormat::Text, io::sink);
        let exported = exported(&provider, Sampling::parse(sampler, "").unwrap());
        let guard = tracing_subscriber::registry().with(exported).with(logs).set_default();
        (guard, provider, exporter)
    }

    #[test]
    fn with_an_exporter_a_sampled_trace_goes_on_by_our_spans_and_their_events() {
        let (_guard, _provider, exporter) = export("");
        tracing::info_span!("outside of any call").in_scope(|| tracing::info!("outside"));
        span(&callers_headers("01")).in_scope(|| {
            let inner = tracing::info_span!("inner").entered();
            tracing::info!("an event");
            tracing::debug!("too much detail");
            tracing::info_span!(target: "h2", "not ours").in_scope(|| assert_ne!(passed_on(), HeaderMap::new()));
            let sent = passed_on()["traceparent"].to_str().unwrap().to_owned();
            drop(inner);
            let spans = exporter.get_finished_spans().unwrap();
            let [inner] = &spans[..] else { panic!("{spans:?}") };
            assert_eq!(sent, format!("00-{TRACE}-{}-01", inner.span_context.span_id()));
            assert_eq!((inner.name.as_ref(), inner.events.len()), ("inner", 1));
        });
        let spans = exporter.get_finished_spans().unwrap();
        let [inner, call] = &spans[..] else { panic!("{spans:?}") };
        assert_eq!(inner.parent_span_id, call.span_context.span_id());
        assert_eq!(call.parent_span_id.to_string(), "b7ad6b7169203331");
    }

    #[test]
    fn with_an_exporter_a_trace_that_its_caller_does_not_sample_is_passed_on_and_not_exported() {
        let (_guard, _provider, exporter) = export("");
        let callers = callers_headers("00");
        span(&callers).in_scope(|| {
            tracing::info_span!("inner").in_scope(|| {
                tracing::warn!("an event");
                assert_eq!(passed_on(), callers);
            });
        });
        span(&HeaderMap::new()).in_scope(|| assert!(propagation::current().unwrap().ends_with("-01")));
        let spans = exporter.get_finished_spans().unwrap();
        let [call] = &spans[..] else { panic!("{spans:?}") };
        assert_ne!(call.span_context.trace_id().to_string(), TRACE, "a new one, of a call without a caller's");
    }

    #[test]
    fn with_an_exporter_a_new_trace_that_is_not_sampled_is_passed_on_and_not_exported() {
        let (_guard, _provider, exporter) = export("parentbased_always_off");
        span(&HeaderMap::new()).in_scope(|| {
            tracing::info_span!("inner").in_scope(|| assert!(propagation::current().unwrap().ends_with("-00")));
        });
        assert!(exporter.get_finished_spans().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_slow_statement_is_logged_with_its_trace_and_without_its_values() {
        let owner = role("slow", "slow");
        let database = server().await.unwrap().database(std::slice::from_ref(&owner)).await.unwrap();
        for format in [LogFormat::Text, LogFormat::Json] {
            let lines = Lines::default();
            let _log = lines.log(format);
            let pool = connect(&PoolOptions::new(database.url(&owner))).await.unwrap();
            let slow = async {
                let mut conn = pool.acquire().await.unwrap();
                let sleep = sqlx::query("SELECT pg_sleep(1.1), $1::text").bind("hunter22");
                sleep.execute(&mut *conn).await.unwrap();
                sqlx::query("SELECT 'fast'").execute(&mut *conn).await.unwrap();
            };
            slow.instrument(span(&callers_headers("01"))).await;
            let text = lines.text();
            assert!(text.contains("pg_sleep(1.1)") && text.contains(TRACE) && text.contains("WARN"), "{text}");
            assert!(!text.contains("hunter22") && !text.contains("fast"), "{text}");
            if format == LogFormat::Json {
                let line = &lines.json()[0];
                assert_eq!((&line["trace_id"], &line["target"]), (&TRACE.into(), &"sqlx::query".into()));
            }
        }
    }
}
