//! Giving money back: what may be asked for, and what there is of it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kontor_types::Money;
use kontor_types::ids::{OrderId, RefundId, VariantName};

use super::order::{Order, State};

/// Where a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundState {
    Pending,
    Succeeded,
    Failed,
}

impl RefundState {
    /// Its name, in the contract and in tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
        }
    }

    /// By its name.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Pending, Self::Succeeded, Self::Failed].into_iter().find(|state| state.word() == word)
    }
}

/// Units of one variant that came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestockLine {
    pub variant: VariantName,
    pub quantity: i32,
}

/// Money of an order that is given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    pub id: RefundId,
    pub state: RefundState,
    pub amount: Money,
    /// Units that go back into stock with it.
    pub restock: Vec<RestockLine>,
    pub reason: String,
    /// Why the provider refused, if it did.
    pub failure: String,
    pub create_time: DateTime<Utc>,
    pub update_time: DateTime<Utc>,
}

impl Refund {
    /// Its name, below its order's.
    pub fn name(&self, order: OrderId) -> String {
        format!("{order}/refunds/{}", self.id.0)
    }

    fn counts(&self) -> bool {
        matches!(self.state, RefundState::Pending | RefundState::Succeeded)
    }
}

/// Why money can't be given back like this.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotRefundable {
    #[error("only a completed order can be refunded, and this one is {}", .0.word())]
    State(State),
    #[error("{0} can be refunded, not more")]
    TooLarge(Money),
    #[error("must be an amount in {}, of more than zero", .0.currency.code())]
    Amount(Money),
    /// More units than were bought and not yet put back.
    #[error("{returnable} of {variant} can be put back, not more")]
    RestockTooLarge { variant: VariantName, returnable: i64 },
    #[error("{0} is there twice; add the quantities up")]
    Twice(VariantName),
}

/// The amount of a refund, if it may be given: what is asked for, or all that is left. What is about to be refunded counts as refunded.
pub fn admit(order: &Order, amount: Option<Money>, restock: &[RestockLine]) -> Result<Money, NotRefundable> {
    if order.state != State::Completed {
        return Err(NotRefundable::State(order.state));
    }
    let given: i64 = order.refunds.iter().filter(|refund| refund.counts()).map(|refund| refund.amount.minor).sum();
    let left = Money { minor: order.captured.minor - given, ..order.captured };
    let amount = amount.unwrap_or(left);
    if amount.currency != left.currency || amount.minor < 0 || (amount.minor == 0 && left.minor > 0) {
        return Err(NotRefundable::Amount(left));
    }
    if amount.minor == 0 || amount.minor > left.minor {
        return Err(NotRefundable::TooLarge(left));
    }
    admit_restock(order, restock)?;
    Ok(amount)
}

fn admit_restock(order: &Order, restock: &[RestockLine]) -> Result<(), NotRefundable> {
    let mut returnable: HashMap<VariantName, i64> = HashMap::new();
    for line in &order.snapshot.lines {
        *returnable.entry(line.variant).or_default() += i64::from(line.quantity);
    }
    for line in order.refunds.iter().filter(|refund| refund.counts()).flat_map(|refund| &refund.restock) {
        *returnable.entry(line.variant).or_default() -= i64::from(line.quantity);
    }
    for (index, line) in restock.iter().enumerate() {
        if restock[..index].iter().any(|other| other.variant == line.variant) {
            return Err(NotRefundable::Twice(line.variant));
        }
        let returnable = returnable.get(&line.variant).copied().unwrap_or_default();
        if i64::from(line.quantity) > returnable {
            return Err(NotRefundable::RestockTooLarge { variant: line.variant, returnable });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kontor_types::Currency;
    use kontor_types::ids::{ProductId, new_uuid};
    use proptest::prelude::*;

    use super::*;
    use crate::domain::cart::CartId;
    use crate::domain::order::{Line, OrderNumber, PaymentState, Snapshot};

    fn usd(minor: i64) -> Money {
        Money { minor, currency: Currency::USD }
    }

    /// Three units of one variant for 300 cents, completed.
    fn order() -> Order {
        let variant = VariantName { product: ProductId::generate(), id: new_uuid() };
        let (title, sku, options) = (String::new(), String::new(), BTreeMap::new());
        let line = Line { variant, title, sku, options, quantity: 3, unit_price: usd(100), total: usd(300) };
        let (cart, email) = (CartId::from_random(0), String::new());
        let snapshot = Snapshot { cart, user: None, email, shipping_address: None, lines: vec![line], total: usd(300) };
        Order {
            id: OrderId::generate(),
            number: OrderNumber::from_random(0),
            snapshot,
            state: State::Completed,
            payment: PaymentState::Captured,
            captured: usd(300),
            refunded: usd(0),
            rejection: None,
            cancellation: None,
            refunds: Vec::new(),
            version: 2,
            create_time: DateTime::UNIX_EPOCH,
            update_time: DateTime::UNIX_EPOCH,
        }
    }

    fn given(state: RefundState, minor: i64, restock: Vec<RestockLine>) -> Refund {
        let (id, time) = (RefundId::generate(), DateTime::UNIX_EPOCH);
        let (reason, failure) = (String::new(), String::new());
        Refund { id, state, amount: usd(minor), restock, reason, failure, create_time: time, update_time: time }
    }

    #[test]
    fn all_that_is_left_is_what_is_neither_refunded_nor_about_to_be() {
        let mut order = order();
        assert_eq!(admit(&order, None, &[]), Ok(usd(300)));
        order.refunds = vec![given(RefundState::Succeeded, 100, vec![]), given(RefundState::Pending, 50, vec![])];
        order.refunds.push(given(RefundState::Failed, 150, vec![]));
        assert_eq!(admit(&order, None, &[]), Ok(usd(150)));
        assert_eq!(admit(&order, Some(usd(151)), &[]), Err(NotRefundable::TooLarge(usd(150))));
        assert_eq!(admit(&order, Some(usd(0)), &[]), Err(NotRefundable::Amount(usd(150))));
        order.refunds.push(given(RefundState::Pending, 150, vec![]));
        assert_eq!(admit(&order, None, &[]), Err(NotRefundable::TooLarge(usd(0))));
    }

    #[test]
    fn only_units_that_were_bought_and_are_still_out_can_come_back() {
        let mut order = order();
        let variant = order.snapshot.lines[0].variant;
        let line = |variant, quantity| RestockLine { variant, quantity };
        assert_eq!(admit(&order, None, &[line(variant, 3)]), Ok(usd(300)));
        let too_many = |returnable| Err(NotRefundable::RestockTooLarge { variant, returnable });
        assert_eq!(admit(&order, None, &[line(variant, 4)]), too_many(3));
        assert_eq!(
            admit(&order, None, &[line(variant, 1), line(variant, 1)]),
            Err(NotRefundable::Twice(variant)),
            "two lines could pass one by one"
        );
        order.refunds = vec![given(RefundState::Pending, 1, vec![line(variant, 2)])];
        assert_eq!(admit(&order, None, &[line(variant, 2)]), too_many(1));
        let other = VariantName { id: new_uuid(), ..variant };
        let unknown = NotRefundable::RestockTooLarge { variant: other, returnable: 0 };
        assert_eq!(admit(&order, None, &[line(other, 1)]), Err(unknown));
    }

    #[test]
    fn what_was_not_collected_is_not_given_back() {
        for state in [State::Processing, State::Rejected, State::Cancelled] {
            let order = Order { state, ..order() };
            assert_eq!(admit(&order, None, &[]), Err(NotRefundable::State(state)));
        }
    }

    proptest! {
        #[test]
        fn refunds_never_add_up_to_more_than_was_collected(asked in prop::collection::vec(any::<i64>(), 0..30)) {
            let mut order = order();
            for minor in asked.into_iter().flat_map(|minor| [minor, minor.rem_euclid(200)]) {
                if let Ok(amount) = admit(&order, Some(usd(minor)), &[]) {
                    order.refunds.push(given(RefundState::Pending, amount.minor, vec![]));
                }
            }
            prop_assert!(order.refunds.iter().map(|refund| refund.amount.minor).sum::<i64>() <= 300);
        }
    }
}
