//! What one buyer is going to do, drawn beforehand: the same for the same seed, whatever happens on the way.

use kontor_proto::kontor::order::v1 as pb;
use uuid::Uuid;

use super::shop::Shop;
use crate::dice::Dice;

/// A call that placed an order, to be sent again.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) request: pb::PlaceOrderRequest,
    pub(super) key: Uuid,
    pub(super) by_grpc: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cancel {
    Never,
    /// While the call that places the order is under way.
    Meanwhile,
    Afterwards,
    /// While that call is under way, if it takes long.
    Impatiently,
}

/// How much of a completed order goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refund {
    Nothing,
    InParts,
    Whole,
}

#[derive(Debug)]
pub(super) struct Trip {
    pub(super) lines: Vec<(String, i32)>,
    pub(super) payment_token: &'static str,
    pub(super) by_grpc: bool,
    /// Whether the call is sent twice at once.
    pub(super) twice: bool,
    /// Whether it is sent again when others have been sent.
    pub(super) again_later: bool,
    pub(super) cancel: Cancel,
    pub(super) refund: Refund,
    /// Whether the units of a refund go back into stock.
    pub(super) restock: bool,
    pub(super) key: Uuid,
}

/// Mostly approved; the others bring in the provider's own trouble.
const CANCELS: [(u32, Cancel); 4] =
    [(4, Cancel::Meanwhile), (6, Cancel::Afterwards), (40, Cancel::Impatiently), (50, Cancel::Never)];
const TOKENS: [(u32, &str); 7] = [
    (70, "tok_approve"),
    (8, "tok_decline"),
    (6, "tok_slow"),
    (5, "tok_error_before"),
    (5, "tok_error_after"),
    (1, "tok_timeout"),
    (5, "tok_review"),
];

impl Trip {
    pub(super) fn plan(dice: &mut Dice, shop: &Shop) -> Self {
        Self {
            lines: lines(dice, shop),
            payment_token: dice.weighed(&TOKENS, "tok_approve"),
            by_grpc: dice.percent(30),
            twice: dice.percent(12),
            again_later: dice.percent(12),
            cancel: dice.weighed(&CANCELS, Cancel::Never),
            refund: dice.weighed(&[(8, Refund::InParts), (8, Refund::Whole), (84, Refund::Nothing)], Refund::Nothing),
            restock: dice.percent(60),
            key: dice.uuid(),
        }
    }
}

/// One line, or two; three in ten want what is scarce.
fn lines(dice: &mut Dice, shop: &Shop) -> Vec<(String, i32)> {
    let scarce = dice.percent(30);
    let mut skus: Vec<_> = shop.skus.iter().collect();
    if !scarce {
        skus.remove(0);
        dice.shuffle(&mut skus);
    } else if let Some((_, rest)) = skus.split_first_mut() {
        dice.shuffle(rest);
    }
    let count = if dice.percent(30) { 2 } else { 1 };
    let mut quantity = || i32::try_from(dice.between(1, 3)).unwrap_or(1);
    skus.into_iter().take(count).map(|sku| (sku.variant.clone(), quantity())).collect()
}
