//! How an order is driven to its end: which step comes next, given what the last one answered.
//!
//! ```text
//! reserve -> authorise -> confirm -> capture -> completed          (the reservation's confirmation is the pivot)
//!    |           |           |
//!    |           |           +-- units gone: void -> release -> rejected
//!    |           +-- declined: release -> rejected
//!    +-- too few units: rejected
//! ```
//!
//! Every step is keyed by the order, so that it may be sent any number of times. That is why so little is written down: after a
//! crash the way is walked again from its beginning, and each step answers as it did before. Only the decision to turn back is
//! written down before it is acted on, since after a release the way forward is closed.

use super::cart::Shortage;
use super::order::Rejection;

/// One call to a peer, or the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Hold the units.
    Reserve,
    /// Hold the money.
    Authorize,
    /// Take the units.
    Confirm,
    /// Take the money.
    Capture,
    /// Let the money go.
    Void,
    /// Let the units go.
    Release,
    /// Write the end down.
    Finish(End),
}

/// How an order ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Units and money are taken.
    Completed,
    /// Neither is.
    Rejected(Rejection),
}

/// What a peer answered to a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The units are held, or were taken already.
    Reserved,
    /// There are too few units; nothing is held.
    TooFew(Vec<Shortage>),
    /// The units are not held any more.
    UnitsGone,
    /// The money is held, or was taken already.
    Authorized,
    /// The provider refuses, with its code.
    Declined(String),
    /// The provider can't tell yet.
    InReview,
    /// The units are taken.
    Confirmed,
    /// The money is taken.
    Captured,
    /// The money is let go.
    Voided,
    /// The units are let go.
    Released,
    /// Whether the step was done is unknown, or it makes no sense: ask again.
    Unknown,
}

/// What to do after an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// This step.
    Go(Step),
    /// Write down that the order is to come to nothing, and why; then go on from [`first`].
    TurnBack(Rejection),
    /// The same step again, soon.
    Again,
    /// The way from its beginning again, after a long pause: a person decides.
    Later,
}

/// Where to begin, or to begin again: forward, or back if that was decided.
pub fn first(rejection: Option<&Rejection>) -> Step {
    match rejection {
        None => Step::Reserve,
        // Nothing is held at a provider that declined.
        Some(Rejection::PaymentDeclined(_)) => Step::Release,
        Some(Rejection::OutOfStock(_)) => Step::Void,
    }
}

/// What comes after an answer. `costs_money` is false for an order whose total is zero: then no provider is asked.
pub fn next(step: &Step, answer: Answer, rejection: Option<&Rejection>, costs_money: bool) -> Next {
    match (step, answer) {
        (Step::Reserve, Answer::Reserved) if costs_money => Next::Go(Step::Authorize),
        (Step::Reserve, Answer::Reserved) => Next::Go(Step::Confirm),
        (Step::Reserve, Answer::TooFew(short)) => Next::Go(Step::Finish(End::Rejected(Rejection::OutOfStock(short)))),
        (Step::Reserve | Step::Confirm, Answer::UnitsGone) => Next::TurnBack(Rejection::OutOfStock(Vec::new())),
        (Step::Authorize, Answer::Authorized) => Next::Go(Step::Confirm),
        (Step::Authorize, Answer::InReview) => Next::Later,
        (Step::Authorize, Answer::Declined(code)) => Next::TurnBack(Rejection::PaymentDeclined(code)),
        (Step::Confirm, Answer::Confirmed) if costs_money => Next::Go(Step::Capture),
        (Step::Confirm, Answer::Confirmed) => Next::Go(Step::Finish(End::Completed)),
        (Step::Capture, Answer::Captured) => Next::Go(Step::Finish(End::Completed)),
        (Step::Void, Answer::Voided) => Next::Go(Step::Release),
        (Step::Release, Answer::Released) => match rejection {
            Some(rejection) => Next::Go(Step::Finish(End::Rejected(rejection.clone()))),
            None => Next::Again,
        },
        // Anything else tells nothing that could be acted on: asking again is always safe.
        (_, _) => Next::Again,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Peers that keep the contract: keyed, first answer stands; and what they have done.
    #[derive(Default)]
    struct World {
        in_stock: bool,
        approves: bool,
        held: bool,
        refused: bool,
        taken: bool,
        released: bool,
        authorized: bool,
        declined: bool,
        captured: u32,
        voided: bool,
    }

    impl World {
        fn answer(&mut self, step: &Step) -> Answer {
            match step {
                Step::Reserve if self.released => Answer::UnitsGone,
                Step::Reserve if self.held || self.taken => Answer::Reserved,
                Step::Reserve if self.in_stock && !self.refused => {
                    self.held = true;
                    Answer::Reserved
                }
                Step::Reserve => {
                    self.refused = true;
                    Answer::TooFew(Vec::new())
                }
                Step::Authorize if self.voided => Answer::Declined("voided".into()),
                Step::Authorize if self.approves && !self.declined => {
                    self.authorized = true;
                    Answer::Authorized
                }
                Step::Authorize => {
                    self.declined = true;
                    Answer::Declined("card_declined".into())
                }
                Step::Confirm if self.held => {
                    (self.held, self.taken) = (false, true);
                    Answer::Confirmed
                }
                Step::Confirm if self.taken => Answer::Confirmed,
                Step::Confirm => Answer::UnitsGone,
                Step::Capture => {
                    self.captured = 1;
                    Answer::Captured
                }
                Step::Void => {
                    (self.voided, self.authorized) = (true, false);
                    Answer::Voided
                }
                Step::Release => {
                    (self.held, self.released) = (false, true);
                    Answer::Released
                }
                Step::Finish(_) => Answer::Unknown,
            }
        }
    }

    /// What goes wrong at one step: nothing, the call is lost, its answer is lost, or the process dies after it.
    #[derive(Clone, Copy, Debug)]
    enum Fault {
        None,
        CallLost,
        AnswerLost,
        Crash,
    }

    fn faults() -> impl Strategy<Value = Vec<Fault>> {
        let one = prop_oneof![Just(Fault::None), Just(Fault::CallLost), Just(Fault::AnswerLost), Just(Fault::Crash)];
        prop::collection::vec(one, 0..40)
    }

    fn run(world: &mut World, costs_money: bool, faults: Vec<Fault>) -> End {
        let mut written: Option<Rejection> = None;
        let mut step = first(None);
        let mut faults = faults.into_iter();
        for _ in 0..1000 {
            if let Step::Finish(end) = step {
                return end;
            }
            let fault = faults.next().unwrap_or(Fault::None);
            let answer = match fault {
                Fault::CallLost => Answer::Unknown,
                Fault::AnswerLost => {
                    world.answer(&step);
                    Answer::Unknown
                }
                Fault::None | Fault::Crash => world.answer(&step),
            };
            if matches!(fault, Fault::Crash) {
                step = first(written.as_ref());
                continue;
            }
            match next(&step, answer, written.as_ref(), costs_money) {
                Next::Go(following) => step = following,
                Next::Again | Next::Later => {}
                Next::TurnBack(rejection) => {
                    step = first(Some(&rejection));
                    written = Some(rejection);
                }
            }
        }
        panic!("the order never ended");
    }

    proptest! {
        #[test]
        fn units_and_money_are_both_taken_or_neither(
            in_stock: bool, approves: bool, costs_money: bool, faults in faults(),
        ) {
            let mut world = World { in_stock, approves, ..World::default() };
            let end = run(&mut world, costs_money, faults);
            prop_assert!(!world.held, "nothing stays held");
            match end {
                End::Completed => {
                    prop_assert!(world.taken && !world.released);
                    prop_assert_eq!(world.captured, u32::from(costs_money));
                    prop_assert!(in_stock && (approves || !costs_money));
                }
                End::Rejected(_) => {
                    prop_assert!(!world.taken && world.captured == 0 && !world.authorized);
                    prop_assert!(!in_stock || (costs_money && !approves));
                }
            }
        }

        #[test]
        fn no_answer_makes_a_step_skip_the_pivot(code in "[a-z]{0,8}") {
            let answers = [
                Answer::Reserved, Answer::TooFew(vec![]), Answer::UnitsGone, Answer::Authorized,
                Answer::Declined(code), Answer::InReview, Answer::Confirmed, Answer::Captured, Answer::Voided,
                Answer::Released, Answer::Unknown,
            ];
            for answer in answers {
                for step in [Step::Reserve, Step::Authorize, Step::Void, Step::Release] {
                    let next = next(&step, answer.clone(), None, true);
                    prop_assert!(next != Next::Go(Step::Capture));
                    prop_assert!(next != Next::Go(Step::Finish(End::Completed)));
                }
            }
        }
    }
}
