//! What a process that serves a shop tells a collector: every kind of metric, by the names that dashboards and alerts use.

use std::collections::BTreeMap;
use std::time::Duration;

use kontor_testkit::OtlpReceiver;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{Metric, NumberDataPoint};
use tokio::time::{Instant, sleep};

use crate::data_dir::DataDir;
use crate::launcher::{Launcher, up};
use crate::shop::{ADMIN, KETTLE, good};

const EXPORT_MAX: Duration = Duration::from_secs(60);

/// Name, unit, and the keys of the attributes, of what a purchase and a sign-in leave behind.
const FAMILIES: [(&str, &str, &[&str]); 16] = [
    ("rpc.server.call.duration", "s", &["rpc.method", "rpc.response.status_code", "rpc.system.name"]),
    (
        "http.server.request.duration",
        "s",
        &["http.request.method", "http.response.status_code", "http.route", "url.scheme"],
    ),
    ("db.client.connection.count", "{connection}", &["db.client.connection.pool.name", "db.client.connection.state"]),
    ("db.client.connection.max", "{connection}", &["db.client.connection.pool.name"]),
    ("db.client.connection.pending_requests", "{request}", &["db.client.connection.pool.name"]),
    ("db.client.connection.wait_time", "s", &["db.client.connection.pool.name"]),
    ("kontor.outbox.pending", "{event}", &["kontor.service"]),
    ("kontor.outbox.lag", "s", &["kontor.service"]),
    ("kontor.order.sagas", "{saga}", &["kontor.saga.state"]),
    ("kontor.order.saga.age", "s", &["kontor.saga.state"]),
    ("kontor.order.saga.steps", "{step}", &["kontor.saga.outcome", "kontor.saga.step"]),
    ("kontor.order.orders.ended", "{order}", &["kontor.order.state"]),
    ("kontor.auth.sign_ins", "{sign_in}", &["kontor.sign_in.outcome"]),
    ("kontor.build.info", "", &["kontor.commit", "service.version"]),
    ("process.cpu.time", "s", &[]),
    ("process.memory.usage", "By", &[]),
];

fn exporting_to(receiver: &OtlpReceiver) -> [(&'static str, String); 3] {
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", receiver.addr)),
        ("OTEL_METRIC_EXPORT_INTERVAL", "200".into()),
        ("OTEL_TRACES_EXPORTER", "none".into()),
    ]
}

#[tokio::test]
async fn every_family_arrives_at_a_collector_by_its_name() {
    let receiver = OtlpReceiver::start().await;
    let dir = DataDir::new();
    let launcher = Launcher::start(up(&dir).envs(exporting_to(&receiver))).await;
    let shop = launcher.shop();
    shop.sign_in(ADMIN, &launcher.password()).await.unwrap();
    shop.buy(KETTLE).await;

    for (name, unit, keys) in FAMILIES {
        let metric = arrives(&receiver, name, |_| true).await;
        assert_eq!(metric.unit, unit, "{name}");
        assert!(!metric.description.is_empty(), "{name} has no description");
        let attributes: Vec<_> =
            attributes(&metric).into_iter().map(|set| set.into_keys().collect::<Vec<_>>()).collect();
        assert!(attributes.iter().any(|found| found == keys), "{name}: {attributes:?}");
    }
    let resource = receiver.resources().pop().unwrap();
    let resource = map(&resource.attributes);
    assert_eq!(resource["service.name"], "kontor");
    assert!(resource.contains_key("service.version") && resource.contains_key("service.instance.id"), "{resource:?}");
    assert!(receiver.spans().is_empty(), "traces were turned off");
}

/// The provider of the sandbox puts it before a person, who takes five seconds.
#[tokio::test]
async fn an_order_that_waits_for_a_person_shows_as_deferred_with_its_age() {
    let receiver = OtlpReceiver::start().await;
    let dir = DataDir::new();
    let launcher = Launcher::start(up(&dir).envs(exporting_to(&receiver))).await;
    let shop = launcher.shop();
    let checkout = shop.fill_cart(KETTLE).await;
    good(shop.place(&checkout, "tok_review")).await;
    let deferred = |metric: &Metric| {
        points(metric)
            .iter()
            .any(|point| map(&point.attributes)["kontor.saga.state"] == "DEFERRED" && number(point) > 0.0)
    };
    arrives(&receiver, "kontor.order.sagas", deferred).await;
    arrives(&receiver, "kontor.order.saga.age", deferred).await;
}

/// Waits for a metric that is as it should be.
async fn arrives(receiver: &OtlpReceiver, name: &str, is_right: impl Fn(&Metric) -> bool) -> Metric {
    let began = Instant::now();
    loop {
        let metrics = receiver.metrics();
        if let Some(metric) = metrics.iter().rev().find(|metric| metric.name == name && is_right(metric)) {
            return metric.clone();
        }
        let names: std::collections::BTreeSet<_> = metrics.iter().map(|metric| metric.name.as_str()).collect();
        assert!(began.elapsed() < EXPORT_MAX, "{name} did not come; there are {names:?}");
        sleep(Duration::from_millis(100)).await;
    }
}

fn points(metric: &Metric) -> Vec<NumberDataPoint> {
    match metric.data.clone().unwrap() {
        Data::Gauge(gauge) => gauge.data_points,
        Data::Sum(sum) => sum.data_points,
        other => panic!("{} is {other:?}", metric.name),
    }
}

fn number(point: &NumberDataPoint) -> f64 {
    match point.value.unwrap() {
        Number::AsDouble(value) => value,
        Number::AsInt(value) => value as f64,
    }
}

/// Those of each series.
fn attributes(metric: &Metric) -> Vec<BTreeMap<String, String>> {
    match metric.data.as_ref().unwrap() {
        Data::Histogram(histogram) => histogram.data_points.iter().map(|point| map(&point.attributes)).collect(),
        _ => points(metric).iter().map(|point| map(&point.attributes)).collect(),
    }
}

fn map(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::StringValue(text) => text.clone(),
        other => format!("{other:?}"),
    };
    let value = |kv: &KeyValue| kv.value.as_ref().and_then(|value| value.value.as_ref()).map(text).unwrap_or_default();
    attributes.iter().map(|kv| (kv.key.clone(), value(kv))).collect()
}
