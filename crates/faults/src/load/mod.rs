//! Buyers: they order, call off and send back, each call again until there is an answer, and remember what they were told.

mod admin;
mod after;
mod book;
mod buyer;
mod heard;
mod lane;
mod shop;
mod trip;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use kontor_runtime::Error;
use tokio::task::JoinSet;

pub(crate) use admin::Admin;
#[cfg(test)]
pub(crate) use book::{Ack, RefundAck};
pub(crate) use book::{Book, Facts, minor};
pub(crate) use shop::{Shop, Sku};

use crate::cluster::Cluster;
use crate::plan::Plan;
use lane::Lanes;

pub(crate) struct Load {
    buyers: JoinSet<()>,
    shared: Arc<Shared>,
}

struct Shared {
    plan: Plan,
    shop: Shop,
    lanes: Lanes,
    book: Arc<Book>,
    admin: Arc<Admin>,
    /// Calls to be sent again when others have been sent meanwhile.
    later: std::sync::Mutex<Vec<trip::Placed>>,
    tried: AtomicU64,
    enough: AtomicBool,
}

impl Load {
    pub(crate) fn start(plan: &Plan, cluster: &Cluster, shop: Shop, admin: Arc<Admin>) -> Result<Self, Error> {
        let shared = Arc::new(Shared {
            plan: plan.clone(),
            lanes: Lanes::to(cluster)?,
            shop,
            admin,
            book: Arc::default(),
            later: std::sync::Mutex::default(),
            tried: AtomicU64::new(0),
            enough: AtomicBool::new(false),
        });
        let mut buyers = JoinSet::new();
        for _ in 0..plan.buyers {
            buyers.spawn(buyer::buy(shared.clone()));
        }
        Ok(Self { buyers, shared })
    }

    pub(crate) fn tried(&self) -> u64 {
        self.shared.tried.load(Ordering::Relaxed)
    }

    pub(crate) fn book(&self) -> Arc<Book> {
        self.shared.book.clone()
    }

    pub(crate) fn enough(&self) {
        self.shared.enough.store(true, Ordering::Relaxed);
    }

    /// Waits until every buyer has an answer to everything.
    pub(crate) async fn settle(mut self) -> Result<(), Error> {
        while let Some(ended) = self.buyers.join_next().await {
            ended?;
        }
        Ok(())
    }
}
