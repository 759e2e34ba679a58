//! The transitions.

use super::{Answer, Course, Doubt, End, Next, Purchase, Reason, Step, Task};
use crate::domain::order::Rejection;

/// Where to begin, or to begin again.
pub fn first(task: &Task) -> Step {
    match task {
        Task::Purchase(Purchase { course: Course::Forward, .. }) => Step::Reserve,
        Task::Purchase(Purchase { course: Course::Back(_), .. }) => Step::Release,
        Task::Purchase(Purchase { course: Course::Committed, .. }) => Step::Confirm,
        Task::Refund { .. } => Step::LookUp(Doubt::Refund),
    }
}

/// What comes after an answer.
pub fn next(task: &Task, step: &Step, answer: Answer) -> Next {
    match (task, answer) {
        (_, Answer::Unknown(_)) => Next::Retry(after_unknown(step)),
        (_, Answer::Contradiction(how)) => Next::Alert(how),
        (Task::Purchase(purchase), answer) => match purchase.course {
            Course::Forward | Course::Committed => forward(purchase, step, answer),
            Course::Back(ref reason) => back(reason, purchase.costs_money, step, answer),
        },
        (Task::Refund { restocks }, answer) => refund(*restocks, step, answer),
    }
}

/// All calls are keyed: repeating one is safe, but for a provider whose memory of keys ends. So what became of one that moves money is
/// asked first; also by whoever takes an order over, or comes back to it.
fn after_unknown(step: &Step) -> Step {
    match step {
        Step::Authorize => Step::LookUp(Doubt::Authorize),
        Step::Capture => Step::LookUp(Doubt::Capture),
        Step::Refund => Step::LookUp(Doubt::Refund),
        step => step.clone(),
    }
}

fn forward(purchase: &Purchase, step: &Step, answer: Answer) -> Next {
    match (step, answer) {
        (Step::Reserve, Answer::Reserved) if purchase.costs_money && purchase.fresh => Next::Go(Step::Authorize),
        // Somebody may have asked for the money before.
        (Step::Reserve, Answer::Reserved) if purchase.costs_money => Next::Go(Step::LookUp(Doubt::Authorize)),
        (Step::Reserve, Answer::Reserved) => Next::Go(Step::Confirm),
        (Step::Reserve, Answer::TooFew(short)) => too_few(purchase, Rejection::OutOfStock(short)),
        (Step::Authorize | Step::LookUp(Doubt::Authorize), Answer::Authorized | Answer::Captured) => {
            Next::Go(Step::Confirm)
        }
        (Step::Authorize | Step::LookUp(Doubt::Authorize), Answer::InReview) => Next::Wait,
        (Step::Authorize | Step::LookUp(Doubt::Authorize), Answer::Declined(code)) => {
            turn_back(purchase, Rejection::PaymentDeclined(code))
        }
        (Step::LookUp(Doubt::Authorize), Answer::NotDone) => Next::Go(Step::Authorize),
        (Step::Reserve | Step::Confirm, Answer::UnitsGone) => turn_back(purchase, Rejection::OutOfStock(Vec::new())),
        (Step::Confirm, Answer::HoldExpired) => Next::Retry(Step::Reserve),
        (Step::Confirm, Answer::Confirmed) if purchase.costs_money => Next::Go(Step::Capture),
        (Step::Confirm, Answer::Confirmed) => Next::Go(Step::Finish(End::Completed)),
        (Step::Capture | Step::LookUp(Doubt::Capture), Answer::Captured) => Next::Go(Step::Finish(End::Completed)),
        (Step::LookUp(Doubt::Capture), Answer::Authorized | Answer::NotDone) => Next::Go(Step::Capture),
        (step, answer) => impossible(step, &answer),
    }
}

/// Where nobody has asked for money, nothing needs to be taken back: the refusal itself holds nothing.
fn too_few(purchase: &Purchase, rejection: Rejection) -> Next {
    if purchase.fresh {
        return Next::Go(Step::Finish(End::Nothing(Reason::Rejected(rejection))));
    }
    turn_back(purchase, rejection)
}

/// Once the units are known to be taken there is no way back.
fn turn_back(purchase: &Purchase, rejection: Rejection) -> Next {
    match purchase.course {
        Course::Committed => Next::Alert(format!("the units were taken, and now there is a refusal: {rejection:?}")),
        Course::Forward | Course::Back(_) => Next::Steer(Course::Back(Reason::Rejected(rejection))),
    }
}

fn back(reason: &Reason, costs_money: bool, step: &Step, answer: Answer) -> Next {
    let holds_money = costs_money && !matches!(reason, Reason::Rejected(Rejection::PaymentDeclined(_)));
    let finish = || Next::Go(Step::Finish(End::Nothing(reason.clone())));
    match (step, answer) {
        (Step::Release, Answer::Released) if holds_money => Next::Go(Step::Void),
        (Step::Release, Answer::Released) => finish(),
        (Step::Release, Answer::Confirmed) => Next::Steer(Course::Committed),
        (Step::Void, Answer::Voided) => finish(),
        (step, answer) => impossible(step, &answer),
    }
}

fn refund(restocks: bool, step: &Step, answer: Answer) -> Next {
    match (step, answer) {
        (Step::Refund | Step::LookUp(Doubt::Refund), Answer::Refunded) if restocks => Next::Go(Step::Restock),
        (Step::Refund | Step::LookUp(Doubt::Refund), Answer::Refunded) => Next::Go(Step::Finish(End::Refunded)),
        (Step::LookUp(Doubt::Refund), Answer::NotDone) => Next::Go(Step::Refund),
        (Step::Refund, Answer::RefundRefused(why)) => Next::Go(Step::Finish(End::RefundRefused(why))),
        (Step::Restock, Answer::Restocked) => Next::Go(Step::Finish(End::Refunded)),
        (step, answer) => impossible(step, &answer),
    }
}

/// An answer that has no meaning after this step. It is not acted on; the order waits, and somebody is told.
fn impossible(step: &Step, answer: &Answer) -> Next {
    Next::Alert(format!("{} answered {}", step.word(), answer.word()))
}
