//! Variables of the environment that have a meaning of their own: those of OpenTelemetry, and RUST_LOG.

use std::env;

use http::Uri;
use tracing_subscriber::EnvFilter;

use crate::sampling::{self, Sampling};

type Check = fn(&str) -> Result<(), String>;

/// Each with what its value has to be.
const VARIABLES: [(&str, Check); 16] = [
    ("RUST_LOG", log_filter),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
    ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint),
    ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", endpoint),
    ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
    ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", protocol),
    ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", protocol),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", milliseconds),
    ("OTEL_TRACES_EXPORTER", exporter),
    ("OTEL_METRICS_EXPORTER", exporter),
    ("OTEL_METRIC_EXPORT_INTERVAL", milliseconds),
    ("OTEL_BSP_SCHEDULE_DELAY", milliseconds),
    ("OTEL_RESOURCE_ATTRIBUTES", any),
    ("OTEL_SERVICE_NAME", any),
    ("OTEL_TRACES_SAMPLER", sampler),
    ("OTEL_TRACES_SAMPLER_ARG", share),
];

/// Those that are set, with their values.
pub(super) fn given() -> impl Iterator<Item = (&'static str, String)> {
    VARIABLES.iter().filter_map(|(name, _)| Some((*name, value(name)?)))
}

/// What is wrong with them, with what would be right.
pub(super) fn problems() -> impl Iterator<Item = String> {
    VARIABLES.iter().filter_map(|(name, check)| problem(name, &value(name)?, *check))
}

fn value(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn problem(name: &str, value: &str, check: Check) -> Option<String> {
    let wanted = check(value).err()?;
    Some(format!("{name} is {:?}, which is not valid\n      {wanted}", shown(value)))
}

/// An address may hold a password.
pub(super) fn shown(value: &str) -> &str {
    if value.contains('@') { "(hidden)" } else { value }
}

fn any(_: &str) -> Result<(), String> {
    Ok(())
}

fn log_filter(value: &str) -> Result<(), String> {
    let parsed = EnvFilter::builder().parse(value);
    parsed.map(drop).map_err(|_| "What is logged, such as warn or info,kontor_order=debug".to_owned())
}

fn endpoint(value: &str) -> Result<(), String> {
    let uri = value.parse::<Uri>().ok();
    let is_address =
        uri.is_some_and(|uri| uri.scheme_str() == Some("http") && uri.host().is_some_and(|host| !host.is_empty()));
    let wanted = "The collector's address, such as http://127.0.0.1:4317; it is spoken to in clear text, not by https";
    if is_address { Ok(()) } else { Err(wanted.to_owned()) }
}

fn protocol(value: &str) -> Result<(), String> {
    one_of(value, &["grpc", "http/protobuf"])
}

fn exporter(value: &str) -> Result<(), String> {
    one_of(value, &["otlp", "none"])
}

fn one_of(value: &str, known: &[&str]) -> Result<(), String> {
    if known.contains(&value) { Ok(()) } else { Err(format!("One of {}", known.join(", "))) }
}

fn milliseconds(value: &str) -> Result<(), String> {
    value.parse::<u32>().map(drop).map_err(|_| "A number of milliseconds, such as 10000".to_owned())
}

fn sampler(value: &str) -> Result<(), String> {
    Sampling::parse(value, "").map(drop)
}

fn share(value: &str) -> Result<(), String> {
    sampling::share(value).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_value_is_checked() {
        let is_valid = |name: &str, value: &str| {
            let (_, check) = VARIABLES.iter().find(|(known, _)| *known == name).unwrap();
            problem(name, value, *check).is_none()
        };
        for (name, right, wrong) in [
            ("RUST_LOG", "warn,kontor_order=debug", "kontor_order=loud"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317", "127.0.0.1:4317"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://collector/v1/traces", "https://collector"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf", "http/json"),
            ("OTEL_METRICS_EXPORTER", "none", "prometheus"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "5000", "5s"),
        ] {
            assert!(is_valid(name, right) && !is_valid(name, wrong), "{name}");
        }
    }

    #[test]
    fn a_password_in_an_address_is_not_repeated() {
        let told = problem("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://kontor:hunter2@collector", endpoint).unwrap();
        assert!(told.contains("OTEL_EXPORTER_OTLP_ENDPOINT") && !told.contains("hunter2"), "{told}");
    }
}
