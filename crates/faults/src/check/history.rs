//! Who lost an order to another process does not write about it any more.

use std::collections::BTreeMap;

use super::{Found, Violations};

pub(super) fn check(found: &Found, violations: &mut Violations) {
    let mut epochs = BTreeMap::new();
    for entry in &found.rows.history {
        let latest = epochs.entry(entry.order_id).or_insert(entry.epoch);
        violations.holds(*latest <= entry.epoch, "the last owner alone writes", || {
            format!("orders/{}: epoch {} wrote after epoch {latest}", entry.order_id, entry.epoch)
        });
        *latest = entry.epoch.max(*latest);
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::HistoryRow;
    use super::super::sound::{broken, sound};

    #[test]
    fn a_write_of_an_earlier_owner_is_noticed() {
        let mut found = sound();
        let order_id = found.rows.orders[0].id;
        found.rows.history = [1, 2, 2].map(|epoch| HistoryRow { order_id, epoch }).into();
        assert_eq!(broken(&found), Vec::<&str>::new());
        found.rows.history.push(HistoryRow { order_id, epoch: 1 });
        assert_eq!(broken(&found), ["the last owner alone writes"]);
    }
}
