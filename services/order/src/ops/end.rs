//! Writing an order's end down, and taking over what others have left.

use kontor_postgres::retry;
use tracing::Instrument;

use super::{Error, Orders};
use crate::domain::order::Order;
use crate::domain::saga::End;
use crate::store::sagas::Claim;
use crate::{events, store};

/// Most orders that are taken over in one look.
const TAKEN_OVER_MAX: i64 = 32;

impl Orders {
    /// One transaction: the saga's end, the order's state, its last event, and an open cart if it came to nothing. `None`, and
    /// nothing written, if another process has the order now.
    pub(super) async fn finish(&self, claim: &Claim, end: &End) -> Result<Option<Order>, Error> {
        retry("finish", || self.finish_once(claim, end)).await
    }

    async fn finish_once(&self, claim: &Claim, end: &End) -> Result<Option<Order>, Error> {
        let mut tx = self.pool.begin().await?;
        if !store::sagas::delete(&mut tx, claim).await? {
            return Ok(None);
        }
        let order = match end {
            End::Completed => store::orders::set_completed(&mut tx, claim.order).await?,
            End::Rejected(rejection) => {
                let order = store::orders::set_rejected(&mut tx, claim.order, rejection).await?;
                store::carts::set_order(&mut tx, &order.snapshot.cart, None).await?;
                order
            }
        };
        events::append_order(&mut tx, &order).await?;
        tx.commit().await?;
        Ok(Some(order))
    }

    /// Takes over orders whose process has died or stopped, and drives them. Returns how many.
    pub async fn take_over(&self) -> Result<usize, Error> {
        let free = i64::try_from(self.turns.available_permits()).unwrap_or(i64::MAX).min(TAKEN_OVER_MAX);
        if free == 0 {
            return Ok(0);
        }
        let claims = store::sagas::claim_abandoned(&mut *self.pool.acquire().await?, free).await?;
        let count = claims.len();
        for claim in claims {
            let Ok(turn) = self.turns.clone().try_acquire_owned() else {
                self.let_go(&claim).await;
                continue;
            };
            let (orders, span) = (self.clone(), span(&claim));
            self.driving.spawn(
                async move {
                    let _turn = turn;
                    match orders.find_order(claim.order).await {
                        Ok(order) => drop(orders.drive(order, claim).await),
                        Err(error) => tracing::warn!(%error, "an order could not be taken over"),
                    }
                }
                .instrument(span),
            );
        }
        Ok(count)
    }
}

/// Goes on in the trace of the call that placed the order.
fn span(claim: &Claim) -> tracing::Span {
    let trace_id = tracing::field::Empty;
    let span = tracing::info_span!("take over order", order = %claim.order, epoch = claim.epoch, trace_id);
    kontor_runtime::propagation::adopt_parent(&span, claim.trace_parent.as_deref());
    span
}
