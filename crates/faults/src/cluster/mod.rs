//! A whole Kontor as processes, on a Postgres of its own, with proxies on every way between them.

mod database;
mod death;
mod network;
mod settings;
mod supervisor;

use std::time::Duration;

use kontor_runtime::Error;
use tokio::time::{Instant, sleep};

use crate::folder::Folder;
use crate::plan::Plan;
pub(crate) use database::Database;
pub(crate) use network::{Network, Way};
pub(crate) use settings::{ADMIN_EMAIL, ADMIN_PASSWORD, Addresses};
pub(crate) use supervisor::{Deaths, Supervisor};

const START_MAX: Duration = Duration::from_secs(90);

pub(crate) struct Cluster {
    pub(crate) addresses: Addresses,
    pub(crate) database: Database,
    pub(crate) network: Network,
    pub(crate) processes: Supervisor,
}

impl Cluster {
    pub(crate) async fn start(plan: &Plan, folder: &Folder) -> Result<Self, Error> {
        let addresses = Addresses::free();
        let database = Database::start(folder, &addresses).await?;
        let rest = async {
            let network = Network::start(&addresses, database.socket().await).await?;
            let settings = settings::all(&addresses, &database, folder);
            Ok((network, Supervisor::start(plan, folder, settings)))
        };
        match rest.await {
            Ok((network, processes)) => Ok(Self { addresses, database, network, processes }),
            Err(error) => {
                database.stop().await?;
                Err(error)
            }
        }
    }

    /// Waits until a purchase could be made.
    pub(crate) async fn ready(&self) -> Result<(), Error> {
        let began = Instant::now();
        let url = format!("{}/readyz", self.addresses.edge_url());
        while began.elapsed() < START_MAX {
            if reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            sleep(Duration::from_millis(100)).await;
        }
        Err("the services were not ready in time; their logs may say why".into())
    }

    pub(crate) async fn stop(self) -> Result<(), Error> {
        self.processes.stop().await;
        self.database.stop().await
    }
}
