//! Watchers: one for each service follows its events through all faults, coming back with its cursor, and remembers what it saw.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kontor_proto::kontor::catalog::v1 as catalog;
use kontor_proto::kontor::catalog::v1::catalog_event_service_client::CatalogEventServiceClient;
use kontor_proto::kontor::order::v1 as order;
use kontor_proto::kontor::order::v1::order_event_service_client::OrderEventServiceClient;
use kontor_runtime::{Error, peer};
use kontor_testkit::with_token;
use tokio::time::{sleep, timeout};
use tokio_stream::{Stream, StreamExt};
use tonic::transport::Channel;
use tonic::{Code, Status};

use crate::cluster::Cluster;
use crate::load::Admin;

/// A stream that is silent for longer is given up: a message comes every few seconds while it lives.
const SILENCE_MAX: Duration = Duration::from_secs(12);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) id: String,
    /// What it happened to, as the outbox names it.
    pub(crate) subject: String,
    pub(crate) version: i64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Watched {
    /// In the order in which they came, each once.
    pub(crate) seen: Vec<Seen>,
    pub(crate) again: u64,
    pub(crate) streams: u64,
    /// What it should not have been told.
    pub(crate) surprises: Vec<String>,
    ids: HashSet<String>,
}

#[derive(Clone)]
pub(crate) struct Watcher {
    kept: Arc<Mutex<Watched>>,
}

#[derive(Clone, Copy)]
enum Service {
    Catalog,
    Order,
}

type Events = Pin<Box<dyn Stream<Item = Result<(Vec<Seen>, String), Status>> + Send>>;

/// Starts both: the catalog's and the order service's.
pub(crate) fn start(cluster: &Cluster, admin: &Arc<Admin>) -> Result<[Watcher; 2], Error> {
    let of = |service, address: std::net::SocketAddr| {
        let watcher = Watcher { kept: Arc::default() };
        let channel = peer::channel(&address.to_string())?;
        tokio::spawn(watcher.clone().follow(service, channel, admin.clone()));
        Ok::<_, Error>(watcher)
    };
    Ok([of(Service::Catalog, cluster.addresses.catalog)?, of(Service::Order, cluster.addresses.order)?])
}

impl Watcher {
    pub(crate) fn watched(&self) -> Watched {
        self.note(|kept| kept.clone())
    }

    pub(crate) fn count(&self) -> usize {
        self.note(|kept| kept.seen.len())
    }

    async fn follow(self, service: Service, channel: Channel, admin: Arc<Admin>) {
        let mut cursor = String::new();
        loop {
            if let Err(status) = self.follow_once(service, &channel, &admin, &mut cursor).await {
                if status.code() == Code::Unauthenticated {
                    admin.forget().await;
                }
                if matches!(status.code(), Code::InvalidArgument | Code::Internal | Code::PermissionDenied)
                    && kontor_runtime::fault::reason_of(&status).is_some()
                {
                    self.note(|kept| kept.surprises.push(format!("{:?}: {}", status.code(), status.message())));
                }
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// From the opening of a stream to its end.
    async fn follow_once(
        &self,
        service: Service,
        channel: &Channel,
        admin: &Admin,
        cursor: &mut String,
    ) -> Result<(), Status> {
        let Some(token) = admin.token().await else { return Ok(()) };
        let mut events = open(service, channel.clone(), cursor.clone(), &token).await?;
        self.note(|kept| kept.streams += 1);
        while let Ok(Some(message)) = timeout(SILENCE_MAX, events.next()).await {
            let (seen, next) = message?;
            self.note(|kept| kept.add(seen));
            *cursor = next;
        }
        Ok(())
    }

    fn note<T>(&self, change: impl FnOnce(&mut Watched) -> T) -> T {
        change(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Watched {
    fn add(&mut self, events: Vec<Seen>) {
        for event in events {
            if self.ids.insert(event.id.clone()) {
                self.seen.push(event);
            } else {
                self.again += 1;
            }
        }
    }

    /// As if these had come, for tests of the checks.
    #[cfg(test)]
    pub(crate) fn of(events: Vec<Seen>) -> Self {
        let mut watched = Self::default();
        watched.add(events);
        watched
    }
}

async fn open(service: Service, channel: Channel, cursor: String, token: &str) -> Result<Events, Status> {
    match service {
        Service::Catalog => {
            let request = catalog::WatchEventsRequest { cursor, ..Default::default() };
            let answer = CatalogEventServiceClient::new(channel).watch_events(with_token(request, token)).await?;
            let read = |message: catalog::WatchEventsResponse| {
                (message.events.into_iter().map(catalog_event).collect(), message.cursor)
            };
            Ok(Box::pin(answer.into_inner().map(move |message| message.map(read))))
        }
        Service::Order => {
            let request = order::WatchEventsRequest { cursor, ..Default::default() };
            let answer = OrderEventServiceClient::new(channel).watch_events(with_token(request, token)).await?;
            let read = |message: order::WatchEventsResponse| {
                (message.events.into_iter().map(order_event).collect(), message.cursor)
            };
            Ok(Box::pin(answer.into_inner().map(move |message| message.map(read))))
        }
    }
}

fn catalog_event(event: catalog::CatalogEvent) -> Seen {
    use catalog::catalog_event::Subject;
    let subject = match event.subject {
        Some(Subject::Product(product)) => product.name,
        Some(Subject::Reservation(reservation)) => reservation.order.replacen("orders/", "reservations/", 1),
        None => String::new(),
    };
    Seen { id: event.id, subject, version: event.version }
}

fn order_event(event: order::OrderEvent) -> Seen {
    let subject = match event.subject {
        Some(order::order_event::Subject::Order(order)) => order.name,
        None => String::new(),
    };
    Seen { id: event.id, subject, version: event.version }
}
