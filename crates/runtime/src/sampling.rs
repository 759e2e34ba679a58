//! Which traces are exported, by `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` as the OpenTelemetry specification has them.
//!
//! It is decided once for each call, before its span is made: a span that reaches OpenTelemetry's layer costs almost as much when the
//! sampler drops it as when it is exported.

use std::env;

use opentelemetry::trace::{SpanId, SpanKind, TraceId};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, Sampler, SamplingDecision, ShouldSample};

use crate::propagation::Beginning;

/// Decides which traces are exported.
#[derive(Debug)]
pub(crate) struct Sampling(Sampler);

impl Sampling {
    /// As the environment says.
    ///
    /// # Errors
    /// When it names a sampler, or a share, that there is not.
    pub(crate) fn from_environment() -> Result<Self, String> {
        let variable = |name| env::var(name).unwrap_or_default();
        Self::parse(&variable("OTEL_TRACES_SAMPLER"), &variable("OTEL_TRACES_SAMPLER_ARG"))
    }

    pub(crate) fn parse(name: &str, arg: &str) -> Result<Self, String> {
        let (follows_caller, root) = match name.strip_prefix("parentbased_") {
            Some(root) => (true, root),
            None if name.is_empty() => (true, "always_on"),
            None => (false, name),
        };
        let root = match root {
            "always_on" => Sampler::AlwaysOn,
            "always_off" => Sampler::AlwaysOff,
            "traceidratio" => Sampler::TraceIdRatioBased(share(arg)?),
            _ => {
                return Err(
                    "Which traces are sent: always_on, always_off, traceidratio, or one of them after parentbased_"
                        .to_owned(),
                );
            }
        };
        Ok(Self(if follows_caller { Sampler::ParentBased(Box::new(root)) } else { root }))
    }

    /// Whether the trace that a call begins or goes on with is exported.
    pub(crate) fn samples(&self, beginning: &Beginning) -> bool {
        let decided =
            self.0.should_sample(Some(&beginning.caller), beginning.trace_id, "", &SpanKind::Server, &[], &[]);
        decided.decision == SamplingDecision::RecordAndSample
    }
}

/// The share of the traces; all of them if nothing is said.
pub(crate) fn share(arg: &str) -> Result<f64, String> {
    let share = if arg.is_empty() { Ok(1.0) } else { arg.parse() };
    let share = share.ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "The share of the traces that are sent, from 0 to 1, such as 0.1".to_owned())
}

/// Gives an exported trace the id by which it was sampled.
#[derive(Debug, Default)]
pub(crate) struct SampledIds(RandomIdGenerator);

impl IdGenerator for SampledIds {
    fn new_trace_id(&self) -> TraceId {
        Beginning::current(|beginning| beginning.trace_id).unwrap_or_else(|| self.0.new_trace_id())
    }

    fn new_span_id(&self) -> SpanId {
        self.0.new_span_id()
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::Context;
    use opentelemetry::trace::{SpanContext, TraceContextExt, TraceFlags, TraceState};

    use super::*;

    fn call(caller: Option<TraceFlags>, trace_id: u128) -> Beginning {
        let trace_id = TraceId::from(trace_id);
        let of = |flags| SpanContext::new(trace_id, SpanId::from(1), flags, true, TraceState::NONE);
        let caller = caller.map_or_else(Context::new, |flags| Context::new().with_remote_span_context(of(flags)));
        Beginning { caller, trace_id }
    }

    /// Whether it samples calls of a caller that samples, of one that does not, and of none; the trace ids are the same.
    fn samples(name: &str, arg: &str, trace_id: u128) -> [bool; 3] {
        let sampling = Sampling::parse(name, arg).unwrap();
        [Some(TraceFlags::SAMPLED), Some(TraceFlags::NOT_SAMPLED), None]
            .map(|caller| sampling.samples(&call(caller, trace_id)))
    }

    #[test]
    fn each_sampler_of_the_specification_decides_by_caller_and_trace_id() {
        let (low, high) = (1, u128::MAX);
        for (name, arg, of_low, of_high) in [
            ("", "", [true, false, true], [true, false, true]),
            ("always_on", "", [true, true, true], [true, true, true]),
            ("always_off", "", [false, false, false], [false, false, false]),
            ("traceidratio", "0.1", [true, true, true], [false, false, false]),
            ("parentbased_always_on", "", [true, false, true], [true, false, true]),
            ("parentbased_always_off", "", [true, false, false], [true, false, false]),
            ("parentbased_traceidratio", "0.1", [true, false, true], [true, false, false]),
            ("parentbased_traceidratio", "", [true, false, true], [true, false, true]),
        ] {
            assert_eq!((samples(name, arg, low), samples(name, arg, high)), (of_low, of_high), "{name} {arg}");
        }
    }

    #[test]
    fn about_the_given_share_of_new_traces_is_sampled() {
        let sampling = Sampling::parse("parentbased_traceidratio", "0.1").unwrap();
        let sampled = (0..10_000).filter(|_| sampling.samples(&call(None, rand::random()))).count();
        assert!((800..1200).contains(&sampled), "{sampled} of 10,000");
    }

    #[test]
    fn what_the_specification_does_not_know_is_refused() {
        for (name, arg) in
            [("jaeger_remote", ""), ("parentbased_", ""), ("traceidratio", "10%"), ("parentbased_traceidratio", "1.5")]
        {
            assert!(Sampling::parse(name, arg).is_err(), "{name} {arg}");
        }
    }
}
