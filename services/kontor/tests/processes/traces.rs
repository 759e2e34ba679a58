//! One purchase is one trace, from the caller's own span down to the provider, and the log names it.

use std::time::Duration;

use kontor_testkit::{OtlpReceiver, Program, free_addr, program};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use reqwest::Method;
use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, sleep};

use crate::apart::{Apart, MUG};
use crate::data_dir::DataDir;
use crate::launcher::{Launcher, up};
use crate::otlp_http::OtlpHttpReceiver;
use crate::shop::{KETTLE, Shop, good};
use crate::span_tree::{PURCHASE, Tree};

const PARENT: u64 = 0x0123_4567_89ab_cdef;

struct CallersTrace(u128);

impl CallersTrace {
    fn begin() -> Self {
        Self(rand::random())
    }

    /// The header by which the W3C says to pass it on (Trace Context, section 3.2).
    fn parent(&self) -> String {
        format!("00-{:032x}-{PARENT:016x}-01", self.0)
    }

    fn id(&self) -> String {
        format!("{:032x}", self.0)
    }
}

/// Settings that make a process send its spans soon.
fn sending_to(endpoint: String) -> Vec<(&'static str, String)> {
    vec![("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), ("OTEL_BSP_SCHEDULE_DELAY", "100".into())]
}

/// Buys, as a part of the caller's trace.
async fn buy_traced(shop: &Shop, product: &str, token: &str) -> CallersTrace {
    let trace = CallersTrace::begin();
    let checkout = shop.fill_cart(product).await;
    let order = good(shop.place(&checkout, token).header("traceparent", trace.parent())).await;
    shop.completed(order["name"].as_str().unwrap(), Duration::from_secs(30)).await;
    trace
}

/// Every step of the purchase is below the call that asked for it, and the edge's span below the caller's.
async fn assert_one_trace(trace: &CallersTrace, spans: impl Fn() -> Vec<Span>) {
    let tree = Tree::collect(&trace.0.to_be_bytes(), spans).await;
    let edge = tree.named("POST /v1/orders").unwrap();
    assert_eq!((edge.kind(), edge.parent_span_id.as_slice()), (SpanKind::Server, &PARENT.to_be_bytes()[..]));
    for (name, caller) in PURCHASE {
        let span = tree.named(name).unwrap();
        assert_eq!(span.kind(), SpanKind::Server, "{name}");
        let above = tree.above(span);
        assert!(above.contains(&caller), "{name} is below {above:?}");
        assert_eq!(above.last(), Some(&"POST /v1/orders"), "{name} is below {above:?}");
    }
}

#[tokio::test]
async fn a_purchase_is_one_trace_across_processes() {
    let receiver = OtlpReceiver::start().await;
    let apart = Apart::start(sending_to(format!("http://{}", receiver.addr))).await;
    apart.import().await;
    let trace = buy_traced(&apart.shop(), MUG, "tok_approve").await;
    assert_one_trace(&trace, || receiver.spans()).await;
}

#[tokio::test]
async fn a_purchase_is_one_trace_in_one_process_and_its_log_lines_name_it() {
    let receiver = OtlpReceiver::start().await;
    let dir = DataDir::new();
    let mut launcher = Launcher::start(up(&dir).envs(sending_to(format!("http://{}", receiver.addr)))).await;
    let trace = buy_traced(&launcher.shop(), KETTLE, "tok_error_before").await;
    assert_one_trace(&trace, || receiver.spans()).await;
    assert_log_names(&launcher, &trace);
    assert_eq!(launcher.stop("INT").await.code(), Some(0));

    // Without a collector, too.
    let launcher = Launcher::start(&mut up(&dir)).await;
    let trace = buy_traced(&launcher.shop(), KETTLE, "tok_error_before").await;
    assert_log_names(&launcher, &trace);
}

/// Events and sagas keep the context of the call, by which a consumer, or the process that reclaims an order, goes on in its trace.
#[tokio::test]
async fn without_a_collector_rows_keep_the_callers_trace_across_processes() {
    let apart = Apart::start(Vec::new()).await;
    apart.import().await;
    let trace = buy_traced(&apart.shop(), MUG, "tok_approve").await;
    let mut conn = PgConnection::connect(&apart.database.admin_url()).await.unwrap();
    let statements = [
        "SELECT trace_parent FROM \"order\".sagas",
        "SELECT trace_parent FROM \"order\".outbox_events",
        "SELECT trace_parent FROM catalog.outbox_events WHERE aggregate LIKE 'reservations/%'",
    ];
    for statement in statements {
        let rows: Vec<Option<String>> = sqlx::query_scalar(statement).fetch_all(&mut conn).await.unwrap();
        assert!(!rows.is_empty(), "{statement}");
        assert!(rows.iter().all(|row| row.as_ref() == Some(&trace.parent())), "{statement}: {rows:?}");
    }
}

#[tokio::test]
async fn over_http_traces_go_out_as_well() {
    let receiver = OtlpHttpReceiver::start().await;
    let edge = free_addr();
    let mut command = program::command(program::path_of("kontor-edge"));
    command.env("KONTOR_EDGE_ADDR", edge.to_string()).env("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
    command.envs(sending_to(format!("http://{}", receiver.addr)));
    let _edge = Program::start(&mut command);
    let (shop, trace) = (Shop::at(format!("http://{edge}")), CallersTrace::begin());
    // Nobody is behind the edge; a request that fails makes a span as well.
    let ask = || shop.request(Method::GET, "v1/carts/none").header("traceparent", trace.parent()).send();
    while ask().await.is_err() {
        sleep(Duration::from_millis(20)).await;
    }
    let began = Instant::now();
    let span = loop {
        let found = receiver.spans().into_iter().find(|span| span.trace_id == trace.0.to_be_bytes());
        match found {
            Some(span) => break span,
            None => sleep(Duration::from_millis(20)).await,
        }
        assert!(began.elapsed() < Duration::from_secs(20), "no span came");
    };
    assert_eq!(
        (span.name.as_str(), span.parent_span_id.as_slice()),
        ("GET /v1/{name=carts/*}", &PARENT.to_be_bytes()[..])
    );
}

/// The order service warns that the provider failed, and says in whose trace.
fn assert_log_names(launcher: &Launcher, trace: &CallersTrace) {
    let log = launcher.program.complained();
    let line = log.lines().find(|line| line.contains("a step has no answer"));
    let line = line.unwrap_or_else(|| panic!("no warning:\n{log}"));
    assert!(line.contains(&trace.id()), "{line}");
    assert!(!log.contains("tok_error_before"), "a payment token in the log:\n{log}");
}
