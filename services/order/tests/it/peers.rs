//! A catalog and a payment provider behind the contract: keyed like real ones, with orders to fail.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use kontor_proto::google::r#type::Money;
use kontor_proto::kontor::catalog::v1 as catalog;
use kontor_proto::kontor::catalog::v1::inventory_service_server::{InventoryService, InventoryServiceServer};
use kontor_proto::kontor::catalog::v1::variant_service_server::{VariantService, VariantServiceServer};
use kontor_proto::kontor::payment::v1 as payment;
use kontor_proto::kontor::payment::v1::payment_provider_service_server::PaymentProviderServiceServer;
use kontor_runtime::Fault;
use kontor_runtime::fault::ErrorReason;
use tokio::sync::Notify;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

/// What to do with the next calls of a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    Before,
    After,
    /// Answer about another payment, and do nothing.
    Astray,
    Refused,
    Expired,
}

/// Both peers; clones share them.
#[derive(Clone, Default)]
pub struct Peers {
    state: Arc<Mutex<State>>,
    /// Authorisations wait here while [`Self::hold_authorizations`] is on.
    gate: Arc<Notify>,
}

#[derive(Default)]
pub struct State {
    price: i64,
    available: i64,
    trouble: Vec<(&'static str, Trouble)>,
    gated: bool,
    reservations: HashMap<String, catalog::reservation::State>,
    returned: HashSet<String>,
    pub payments: HashMap<String, payment::Payment>,
    pub refunds: HashMap<String, i64>,
    calls: Vec<&'static str>,
}

impl Peers {
    /// One variant at this price in cents, and so many units of it.
    pub fn selling(price: i64, available: i64) -> Self {
        let peers = Self::default();
        let mut state = peers.state.lock().unwrap();
        (state.price, state.available) = (price, available);
        drop(state);
        peers
    }

    pub async fn serve(&self) -> SocketAddr {
        let (listener, addr) = kontor_testkit::listener().await;
        let (_, health) = tonic_health::server::health_reporter();
        let server = tonic::transport::Server::builder()
            .add_service(health)
            .add_service(VariantServiceServer::new(self.clone()))
            .add_service(InventoryServiceServer::new(self.clone()))
            .add_service(PaymentProviderServiceServer::new(self.clone()));
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        addr
    }

    /// The next call of the method fails so; several are used up one after the other.
    pub fn trouble(&self, method: &'static str, trouble: Trouble) {
        self.state.lock().unwrap().trouble.push((method, trouble));
    }

    /// Lets authorisations wait until [`Self::open_gate`].
    pub fn hold_authorizations(&self) {
        self.state.lock().unwrap().gated = true;
    }

    pub fn open_gate(&self) {
        self.state.lock().unwrap().gated = false;
        self.gate.notify_waiters();
    }

    pub fn calls(&self, method: &str) -> usize {
        self.state.lock().unwrap().calls.iter().filter(|call| **call == method).count()
    }

    /// Units left, orders that hold or took units, and orders whose money is taken.
    pub fn books(&self) -> (i64, Vec<catalog::reservation::State>, usize) {
        let state = self.state.lock().unwrap();
        let captured = state.payments.values().filter(|payment| payment.captured_amount.is_some()).count();
        (state.available, state.reservations.values().copied().collect(), captured)
    }

    /// What is wrong with the next call of a method, if it is to be answered astray.
    pub fn astray(&self, method: &'static str) -> bool {
        let mut state = self.state.lock().unwrap();
        let wanted = (method, Trouble::Astray);
        let position = state.trouble.iter().position(|trouble| *trouble == wanted);
        position.map(|position| state.trouble.remove(position)).is_some()
    }

    pub fn refunded(&self) -> i64 {
        self.state.lock().unwrap().refunds.values().sum()
    }

    pub async fn pass_gate(&self) {
        let (gated, opened) = (self.state.lock().unwrap().gated, self.gate.notified());
        if gated {
            opened.await;
        }
    }

    /// Does the work under the orders to fail.
    pub fn act<T>(
        &self,
        method: &'static str,
        work: impl FnOnce(&mut State) -> Result<T, Status>,
    ) -> Result<Response<T>, Status> {
        let mut state = self.state.lock().unwrap();
        state.calls.push(method);
        let position = state.trouble.iter().position(|(name, _)| *name == method);
        let trouble = position.map(|position| state.trouble.remove(position).1);
        match trouble {
            Some(Trouble::Before) => return Err(Status::unavailable("as ordered: before")),
            Some(Trouble::Refused) => return Err(Status::failed_precondition("as ordered: refused")),
            Some(Trouble::Expired) => {
                return Err(Fault::precondition(ErrorReason::ReservationExpired, "as ordered: expired").into());
            }
            Some(Trouble::Astray | Trouble::After) | None => {}
        }
        let done = work(&mut state)?;
        if trouble == Some(Trouble::After) {
            return Err(Status::unavailable("as ordered: after"));
        }
        Ok(Response::new(done))
    }
}

fn reservation(order: String, state: catalog::reservation::State) -> catalog::Reservation {
    catalog::Reservation { order, state: state.into(), ..catalog::Reservation::default() }
}

#[tonic::async_trait]
impl VariantService for Peers {
    async fn get_variant(&self, _: Request<catalog::GetVariantRequest>) -> Result<Response<catalog::Variant>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn batch_get_variants(
        &self,
        request: Request<catalog::BatchGetVariantsRequest>,
    ) -> Result<Response<catalog::BatchGetVariantsResponse>, Status> {
        let names = request.into_inner().names;
        self.act("BatchGetVariants", |state| {
            let price = Money { currency_code: "USD".into(), units: state.price / 100, nanos: 0 };
            let variant = |name| catalog::Variant {
                name,
                sku: "CUP".into(),
                price: Some(price.clone()),
                available_quantity: state.available,
                for_sale: true,
                ..catalog::Variant::default()
            };
            Ok(catalog::BatchGetVariantsResponse { variants: names.into_iter().map(variant).collect() })
        })
    }
}

#[tonic::async_trait]
impl InventoryService for Peers {
    async fn get_stock(&self, _: Request<catalog::GetStockRequest>) -> Result<Response<catalog::Stock>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn adjust_stock(&self, _: Request<catalog::AdjustStockRequest>) -> Result<Response<catalog::Stock>, Status> {
        Err(Status::unimplemented("not asked for"))
    }

    async fn reserve_stock(
        &self,
        request: Request<catalog::ReserveStockRequest>,
    ) -> Result<Response<catalog::Reservation>, Status> {
        use catalog::reservation::State as S;
        let request = request.into_inner();
        let wanted: i64 = request.lines.iter().map(|line| i64::from(line.quantity)).sum();
        self.act("ReserveStock", |state| {
            let decided = state.reservations.get(&request.order).copied();
            let decided = decided.unwrap_or(if wanted <= state.available { S::Held } else { S::Refused });
            if state.reservations.insert(request.order.clone(), decided).is_none() && decided == S::Held {
                state.available -= wanted;
            }
            Ok(reservation(request.order, decided))
        })
    }

    async fn confirm_reservation(
        &self,
        request: Request<catalog::ConfirmReservationRequest>,
    ) -> Result<Response<catalog::Reservation>, Status> {
        let order = request.into_inner().order;
        self.act("ConfirmReservation", |state| {
            if state.reservations.get(&order) == Some(&catalog::reservation::State::Released) {
                return Err(Fault::precondition(ErrorReason::ReservationEnded, "it was released").into());
            }
            state.reservations.insert(order.clone(), catalog::reservation::State::Confirmed);
            Ok(reservation(order, catalog::reservation::State::Confirmed))
        })
    }

    async fn release_reservation(
        &self,
        request: Request<catalog::ReleaseReservationRequest>,
    ) -> Result<Response<catalog::Reservation>, Status> {
        use catalog::reservation::State as S;
        let order = request.into_inner().order;
        self.act("ReleaseReservation", |state| {
            if state.reservations.get(&order) == Some(&S::Confirmed) {
                return Err(Fault::precondition(ErrorReason::ReservationEnded, "it was confirmed").into());
            }
            if state.reservations.insert(order.clone(), S::Released) == Some(S::Held) {
                state.available += 1;
            }
            Ok(reservation(order, S::Released))
        })
    }

    async fn get_reservation(
        &self,
        _: Request<catalog::GetReservationRequest>,
    ) -> Result<Response<catalog::Reservation>, Status> {
        Err(Status::unimplemented("not yet"))
    }

    async fn return_stock(
        &self,
        request: Request<catalog::ReturnStockRequest>,
    ) -> Result<Response<catalog::Reservation>, Status> {
        let request = request.into_inner();
        let units: i64 = request.lines.iter().map(|line| i64::from(line.quantity)).sum();
        self.act("ReturnStock", |state| {
            if state.returned.insert(request.refund.clone()) {
                state.available += units;
            }
            Ok(reservation(request.refund, catalog::reservation::State::Confirmed))
        })
    }
}
