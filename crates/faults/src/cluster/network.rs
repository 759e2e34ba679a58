//! The proxies on the ways between the processes.

use std::path::PathBuf;
use std::sync::Arc;

use kontor_runtime::Error;
use kontor_testkit::Proxy;
use kontor_testkit::proxy::Backend;

use super::Addresses;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Catalog,
    Order,
    Psp,
    CatalogDatabase,
    OrderDatabase,
}

impl Way {
    pub(crate) const ALL: [Self; 5] =
        [Self::Catalog, Self::Order, Self::Psp, Self::CatalogDatabase, Self::OrderDatabase];
}

#[derive(Clone)]
pub(crate) struct Network(Arc<[Proxy; 5]>);

impl Network {
    /// Starts them. Those before the catalog and the order service spread connections over two processes, as a Kubernetes service does.
    pub(crate) async fn start(addresses: &Addresses, socket: PathBuf) -> Result<Self, Error> {
        let tcp = |addresses: &[std::net::SocketAddr]| addresses.iter().copied().map(Backend::Tcp).collect();
        let database = || vec![Backend::Unix(socket.clone())];
        Ok(Self(Arc::new([
            Proxy::start(addresses.catalog, tcp(&addresses.catalogs)).await?,
            Proxy::start(addresses.order, tcp(&addresses.orders)).await?,
            Proxy::start(addresses.psp, tcp(&[addresses.psp_itself])).await?,
            Proxy::start(addresses.catalog_database, database()).await?,
            Proxy::start(addresses.order_database, database()).await?,
        ])))
    }

    pub(crate) fn proxy(&self, way: Way) -> &Proxy {
        let [catalog, order, psp, catalog_database, order_database] = &*self.0;
        match way {
            Way::Catalog => catalog,
            Way::Order => order,
            Way::Psp => psp,
            Way::CatalogDatabase => catalog_database,
            Way::OrderDatabase => order_database,
        }
    }

    pub(crate) fn heal(&self) {
        self.0.iter().for_each(Proxy::heal);
    }
}
