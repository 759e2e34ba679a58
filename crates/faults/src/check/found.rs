//! All that is looked at, once everything has come to rest.

use std::collections::BTreeMap;

use kontor_proto::kontor::order::v1 as pb;
use uuid::Uuid;

use super::journal::Payment;
use super::logs::Logs;
use super::rows::{Event, OrderRow, Rows};
use crate::load::{Facts, Sku};
use crate::watch::Watched;

#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) skus: Vec<Sku>,
    pub(crate) rows: Rows,
    /// The provider's payments, by the key of their authorisation.
    pub(crate) payments: Vec<Payment>,
    pub(crate) told: Facts,
    /// What the watchers of the catalog and of the order service saw, if there were any.
    pub(crate) watched: Option<[Watched; 2]>,
    pub(crate) logs: Logs,
    pub(crate) unexpected_deaths: Vec<String>,
    /// Acknowledged orders that were still on their way when their time was up.
    pub(crate) late: Vec<String>,
}

impl Found {
    pub(super) fn orders(&self) -> BTreeMap<Uuid, &OrderRow> {
        self.rows.orders.iter().map(|order| (order.id, order)).collect()
    }

    /// The last that the outbox says of each order.
    pub(super) fn last_words(&self) -> BTreeMap<&str, &pb::Order> {
        last(&self.rows.order_events)
            .filter_map(|event| Some((event.aggregate.as_str(), event.order.as_ref()?)))
            .collect()
    }
}

pub(super) fn last(events: &[Event]) -> impl Iterator<Item = &Event> {
    let mut last: BTreeMap<&str, &Event> = BTreeMap::new();
    for event in events {
        let newest = last.entry(&event.aggregate).or_insert(event);
        if event.version > newest.version {
            *newest = event;
        }
    }
    last.into_values()
}
