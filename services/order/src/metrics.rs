//! What is measured of orders: where their sagas stand, how steps end, how orders end.

use std::sync::LazyLock;

use opentelemetry::metrics::{Counter, Gauge, Meter};
use opentelemetry::{KeyValue, global};

use crate::domain::order::State;
use crate::domain::saga::{Answer, Step};
use crate::store::saga_counts::{SagaCount, SagaState};

fn meter() -> Meter {
    global::meter("kontor_order")
}

static SAGAS: LazyLock<Gauge<i64>> = LazyLock::new(|| {
    meter()
        .i64_gauge("kontor.order.sagas")
        .with_unit("{saga}")
        .with_description("Sagas that are not finished, of all replicas together; counted up to 10,000.")
        .build()
});

static SAGA_AGE: LazyLock<Gauge<f64>> = LazyLock::new(|| {
    meter()
        .f64_gauge("kontor.order.saga.age")
        .with_unit("s")
        .with_description("Time since the oldest unfinished saga of the state was begun; 0 if there is none.")
        .build()
});

static STEPS: LazyLock<Counter<u64>> = LazyLock::new(|| {
    meter()
        .u64_counter("kontor.order.saga.steps")
        .with_unit("{step}")
        .with_description("Steps of sagas, by how they ended.")
        .build()
});

static LEASES_RECLAIMED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    meter()
        .u64_counter("kontor.order.leases.reclaimed")
        .with_unit("{lease}")
        .with_description("Orders reclaimed from a process that let their lease expire.")
        .build()
});

static ORDERS_ENDED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    meter()
        .u64_counter("kontor.order.orders.ended")
        .with_unit("{order}")
        .with_description("Orders that reached their final state.")
        .build()
});

/// Every replica reports the same numbers, which are those of the database. A state without sagas is reported as well, or its last
/// number would stand.
pub(crate) fn sagas_counted(counts: &[SagaCount]) {
    for state in SagaState::ALL {
        let found = counts.iter().find(|count| count.state == state);
        let (count, age_seconds) = found.map_or((0, 0.0), |found| (found.count, found.age_seconds));
        let state = [KeyValue::new("kontor.saga.state", state.as_str())];
        SAGAS.record(count, &state);
        SAGA_AGE.record(age_seconds, &state);
    }
}

pub(crate) fn step_answered(step: &Step, answer: &Answer) {
    STEPS.add(
        1,
        &[
            KeyValue::new("kontor.saga.step", step_name(step)),
            KeyValue::new("kontor.saga.outcome", outcome_name(answer)),
        ],
    );
}

pub(crate) fn lease_reclaimed() {
    LEASES_RECLAIMED.add(1, &[]);
}

pub(crate) fn order_ended(state: State) {
    ORDERS_ENDED.add(1, &[KeyValue::new("kontor.order.state", state.word())]);
}

fn step_name(step: &Step) -> &'static str {
    match step {
        Step::Reserve => "reserve",
        Step::Authorize => "authorize",
        Step::Confirm => "confirm",
        Step::Capture => "capture",
        Step::Release => "release",
        Step::Void => "void",
        Step::LookUp(_) => "look_up",
        Step::Refund => "refund",
        Step::Restock => "return",
        Step::Finish(_) => "finish",
    }
}

fn outcome_name(answer: &Answer) -> &'static str {
    match answer {
        Answer::Reserved => "reserved",
        Answer::TooFew(_) => "too_few",
        Answer::UnitsGone => "units_gone",
        Answer::HoldExpired => "hold_expired",
        Answer::Confirmed => "confirmed",
        Answer::Released => "released",
        Answer::Authorized => "authorized",
        Answer::Declined(_) => "declined",
        Answer::InReview => "in_review",
        Answer::Captured => "captured",
        Answer::Voided => "voided",
        Answer::Refunded => "refunded",
        Answer::RefundRefused(_) => "refused",
        Answer::Restocked => "returned",
        Answer::NotDone => "not_done",
        Answer::Contradiction(_) => "contradiction",
        Answer::Unknown(_) => "unknown",
    }
}
