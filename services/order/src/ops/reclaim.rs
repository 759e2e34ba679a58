//! Reclaiming orders whose lease has expired.

use tracing::Instrument;

use super::trip::{Trip, entry};
use super::{Error, Orders};
use crate::domain::history::Kind;
use crate::metrics;
use crate::store;
use crate::store::sagas::{Claim, ExpiredLease};

/// Most orders that one round reclaims.
pub const RECLAIMED_MAX: usize = 32;

impl Orders {
    /// Reclaims orders whose process has died or stopped, or whose pause is over, and drives them. Returns how many.
    pub async fn reclaim_expired(&self) -> Result<usize, Error> {
        let free = self.turns.available_permits().min(RECLAIMED_MAX);
        if free == 0 {
            return Ok(0);
        }
        let claims = self.claim_expired(free as i64).await?;
        let count = claims.len();
        for claim in claims {
            self.drive_reclaimed(claim);
        }
        Ok(count)
    }

    /// One transaction: the claims, and the previous lease holder in each order's history.
    async fn claim_expired(&self, limit: i64) -> Result<Vec<Claim>, Error> {
        let mut tx = self.pool.begin().await?;
        let expired = store::sagas::claim_expired(&mut tx, &self.lease, limit).await?;
        for ExpiredLease { claim, previous } in expired.iter().filter(|expired| !expired.previous.is_empty()) {
            let from = format!("{previous} gave no sign of life any more");
            let who = (self.lease.process.as_str(), claim.epoch);
            store::history::insert(&mut tx, claim.order, who, &[entry(Kind::TakenOver, "", &from)]).await?;
        }
        tx.commit().await?;
        for ExpiredLease { claim, previous } in expired.iter().filter(|expired| !expired.previous.is_empty()) {
            metrics::lease_reclaimed();
            tracing::info!(order = %claim.order, epoch = claim.epoch, previous, "took an order over");
        }
        Ok(expired.into_iter().map(|expired| expired.claim).collect())
    }

    fn drive_reclaimed(&self, claim: Claim) {
        let Ok(turn) = self.turns.clone().try_acquire_owned() else {
            tracing::warn!(order = %claim.order, "no permit left to drive a reclaimed order, lease will expire");
            return;
        };
        let (orders, span) = (self.clone(), span(&claim));
        let driving = async move {
            let _turn = turn;
            match orders.find_order(claim.order).await {
                Ok(order) => drop(orders.drive(Trip::new(order, claim)).await),
                Err(error) => tracing::warn!(%error, "cannot read a reclaimed order, lease will expire"),
            }
        };
        self.driving.spawn(driving.instrument(span));
    }
}

/// Goes on in the trace of the call that placed the order.
fn span(claim: &Claim) -> tracing::Span {
    let trace_id = tracing::field::Empty;
    kontor_runtime::propagation::adopt_parent(
        claim.trace_parent.as_deref(),
        || tracing::info_span!("reclaim order", order = %claim.order, epoch = claim.epoch, trace_id),
    )
}
