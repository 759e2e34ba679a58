//! The spans of one trace, and who is below whom.

use std::time::Duration;

use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::time::{Instant, sleep};

const EXPORT_MAX: Duration = Duration::from_secs(30);

/// Every server span that a purchase makes, and the one that it must be below.
pub(crate) const PURCHASE: [(&str, &str); 6] = [
    ("kontor.order.v1.OrderService/PlaceOrder", "POST /v1/orders"),
    ("kontor.catalog.v1.VariantService/BatchGetVariants", "kontor.order.v1.OrderService/PlaceOrder"),
    ("kontor.catalog.v1.InventoryService/ReserveStock", "kontor.order.v1.OrderService/PlaceOrder"),
    ("kontor.payment.v1.PaymentProviderService/Authorize", "kontor.order.v1.OrderService/PlaceOrder"),
    ("kontor.catalog.v1.InventoryService/ConfirmReservation", "kontor.order.v1.OrderService/PlaceOrder"),
    ("kontor.payment.v1.PaymentProviderService/Capture", "kontor.order.v1.OrderService/PlaceOrder"),
];

pub(crate) struct Tree(Vec<Span>);

impl Tree {
    /// Waits until the edge's span has come, and with it all those below it; `all` tells every span received so far.
    pub(crate) async fn collect(trace_id: &[u8], all: impl Fn() -> Vec<Span>) -> Self {
        let began = Instant::now();
        loop {
            let tree = Self(all().into_iter().filter(|span| span.trace_id == trace_id).collect());
            let names = ["POST /v1/orders"].into_iter().chain(PURCHASE.iter().map(|(name, _)| *name));
            if names.clone().all(|name| tree.named(name).is_some()) {
                return tree;
            }
            let found: Vec<_> = tree.0.iter().map(|span| &span.name).collect();
            assert!(began.elapsed() < EXPORT_MAX, "spans are missing; there are {found:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) fn named(&self, name: &str) -> Option<&Span> {
        self.0.iter().find(|span| span.name == name)
    }

    /// The names of all spans above this one, nearest first.
    pub(crate) fn above(&self, span: &Span) -> Vec<&str> {
        let mut names = Vec::new();
        let mut below = span;
        while let Some(parent) = self.0.iter().find(|other| other.span_id == below.parent_span_id) {
            names.push(parent.name.as_str());
            below = parent;
        }
        names
    }
}
