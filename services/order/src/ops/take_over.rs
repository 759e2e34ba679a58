//! Taking over orders that others have left.

use tracing::Instrument;

use super::trip::{Trip, entry};
use super::{Error, Orders};
use crate::domain::history::Kind;
use crate::store;
use crate::store::sagas::{Abandoned, Claim};

/// Most orders that are taken over in one look.
pub const TAKEN_OVER_MAX: usize = 32;

impl Orders {
    /// Takes over orders whose process has died or stopped, or that have waited long enough, and drives them. Returns how many.
    pub async fn take_over(&self) -> Result<usize, Error> {
        let free = self.turns.available_permits().min(TAKEN_OVER_MAX);
        if free == 0 {
            return Ok(0);
        }
        let claims = self.claim_abandoned(free as i64).await?;
        let count = claims.len();
        for claim in claims {
            self.drive_abandoned(claim);
        }
        Ok(count)
    }

    /// One transaction: the claims, and in each order's history from whom it was taken.
    async fn claim_abandoned(&self, limit: i64) -> Result<Vec<Claim>, Error> {
        let mut tx = self.pool.begin().await?;
        let abandoned = store::sagas::claim_abandoned(&mut tx, &self.lease, limit).await?;
        for Abandoned { claim, previous } in abandoned.iter().filter(|abandoned| !abandoned.previous.is_empty()) {
            let from = format!("{previous} gave no sign of life any more");
            let who = (self.lease.process.as_str(), claim.epoch);
            store::history::insert(&mut tx, claim.order, who, &[entry(Kind::TakenOver, "", &from)]).await?;
        }
        tx.commit().await?;
        for Abandoned { claim, previous } in abandoned.iter().filter(|abandoned| !abandoned.previous.is_empty()) {
            tracing::info!(order = %claim.order, epoch = claim.epoch, previous, "took an order over");
        }
        Ok(abandoned.into_iter().map(|abandoned| abandoned.claim).collect())
    }

    fn drive_abandoned(&self, claim: Claim) {
        let Ok(turn) = self.turns.clone().try_acquire_owned() else {
            tracing::warn!(order = %claim.order, "there is no place to drive an order; its lease runs out");
            return;
        };
        let (orders, span) = (self.clone(), span(&claim));
        let driving = async move {
            let _turn = turn;
            match orders.find_order(claim.order).await {
                Ok(order) => drop(orders.drive(Trip::new(order, claim)).await),
                Err(error) => tracing::warn!(%error, "an order could not be taken over"),
            }
        };
        self.driving.spawn(driving.instrument(span));
    }
}

/// Goes on in the trace of the call that placed the order.
fn span(claim: &Claim) -> tracing::Span {
    let trace_id = tracing::field::Empty;
    let span = tracing::info_span!("take over order", order = %claim.order, epoch = claim.epoch, trace_id);
    kontor_runtime::propagation::adopt_parent(&span, claim.trace_parent.as_deref());
    span
}
