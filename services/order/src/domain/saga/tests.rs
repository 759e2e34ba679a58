//! Whatever is lost, late, repeated or reordered on the way: units and money are both taken, or neither.

use proptest::prelude::*;

use super::*;

/// Peers that keep the contract: keyed, decisions stand; and what they have done.
#[derive(Clone, Debug)]
struct World {
    /// Units that nobody holds.
    units: i32,
    approves: bool,
    refunds: bool,
    units_held: bool,
    taken: bool,
    refused: bool,
    released: bool,
    /// Held once, and let go since it took too long.
    expired: bool,
    authorized: bool,
    declined: bool,
    captured: u32,
    voided: bool,
    refunded: u32,
    restocked: u32,
}

impl World {
    fn new(units: i32, approves: bool, refunds: bool) -> Self {
        let (units_held, taken, refused, released, expired) = (false, false, false, false, false);
        let (authorized, declined, captured, voided, refunded, restocked) = (false, false, 0, false, 0, 0);
        Self {
            units,
            approves,
            refunds,
            units_held,
            taken,
            refused,
            released,
            expired,
            authorized,
            declined,
            captured,
            voided,
            refunded,
            restocked,
        }
    }

    fn answer(&mut self, step: &Step) -> Answer {
        match step {
            Step::Reserve => self.reserve(),
            Step::Confirm => self.confirm(),
            Step::Release => self.release(),
            Step::Restock => {
                self.restocked = 1;
                Answer::Restocked
            }
            Step::Finish(_) => Answer::Unknown("never asked".into()),
            Step::Authorize | Step::Capture | Step::Void | Step::LookUp(_) | Step::Refund => self.pay(step),
        }
    }

    fn reserve(&mut self) -> Answer {
        if self.released {
            return Answer::UnitsGone;
        }
        if self.units_held || self.taken {
            return Answer::Reserved;
        }
        if self.units < 1 || self.refused {
            self.refused = true;
            return Answer::TooFew(Vec::new());
        }
        (self.units, self.units_held, self.expired) = (self.units - 1, true, false);
        Answer::Reserved
    }

    fn confirm(&mut self) -> Answer {
        if self.expired {
            return Answer::HoldExpired;
        }
        if !self.units_held && !self.taken {
            return Answer::UnitsGone;
        }
        (self.units_held, self.taken) = (false, true);
        Answer::Confirmed
    }

    fn release(&mut self) -> Answer {
        if self.taken {
            return Answer::Confirmed;
        }
        self.units += i32::from(self.units_held);
        (self.units_held, self.released, self.expired) = (false, true, false);
        Answer::Released
    }

    /// The units have been held for too long.
    fn expire(&mut self) {
        if self.units_held {
            (self.units_held, self.expired, self.units) = (false, true, self.units + 1);
        }
    }

    fn pay(&mut self, step: &Step) -> Answer {
        match step {
            Step::Authorize if self.voided => Answer::Declined("voided".into()),
            Step::Authorize if self.captured > 0 => Answer::Captured,
            Step::Authorize if self.approves && !self.declined => {
                self.authorized = true;
                Answer::Authorized
            }
            Step::Authorize => {
                self.declined = true;
                Answer::Declined("card_declined".into())
            }
            Step::Capture if self.authorized || self.captured > 0 => {
                (self.authorized, self.captured) = (false, 1);
                Answer::Captured
            }
            Step::Void if self.captured == 0 => {
                (self.voided, self.authorized) = (true, false);
                Answer::Voided
            }
            Step::Refund if !self.refunds => Answer::RefundRefused("no".into()),
            Step::Refund => {
                self.refunded = 1;
                Answer::Refunded
            }
            Step::LookUp(Doubt::Refund) if self.refunded > 0 => Answer::Refunded,
            Step::LookUp(_) if self.captured > 0 && *step != Step::LookUp(Doubt::Refund) => Answer::Captured,
            Step::LookUp(Doubt::Authorize) if self.declined => Answer::Declined("card_declined".into()),
            Step::LookUp(_) if self.authorized => Answer::Authorized,
            Step::LookUp(_) => Answer::NotDone,
            _ => Answer::Contradiction("not in this state".into()),
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    None,
    CallLost,
    AnswerLost,
    Twice,
    /// The call arrives, besides, much later: some steps from now.
    Late,
    /// The process dies after the call, and another begins anew with what was written down.
    Crash,
    /// The hold expires before the call arrives.
    Expiry,
    Cancel,
}

fn faults() -> impl Strategy<Value = Vec<Fault>> {
    use Fault::{AnswerLost, CallLost, Cancel, Crash, Expiry, Late, None, Twice};
    let one = prop_oneof![
        4 => Just(None), 2 => Just(CallLost), 2 => Just(AnswerLost), 1 => Just(Twice), 2 => Just(Late),
        2 => Just(Crash), 1 => Just(Expiry), 1 => Just(Cancel),
    ];
    prop::collection::vec(one, 0..40)
}

/// A driver and what it has written down.
struct Run {
    task: Task,
    step: Step,
    late: Vec<Step>,
}

impl Run {
    fn new(task: Task) -> Self {
        Self { step: first(&task), task, late: Vec::new() }
    }

    /// Another process takes over: it knows what is written down, and nothing else.
    fn begin_anew(&mut self) {
        if let Task::Purchase(purchase) = &mut self.task {
            purchase.fresh = false;
        }
        self.step = first(&self.task);
    }

    fn cancel(&mut self) {
        if let Task::Purchase(purchase) = &mut self.task
            && purchase.course == Course::Forward
        {
            purchase.course = Course::Back(Reason::Cancelled);
            // The old driver's call may still be on its way.
            self.late.push(self.step.clone());
            self.begin_anew();
        }
    }

    fn ask(&mut self, world: &mut World, fault: Fault) -> Option<Answer> {
        match fault {
            Fault::CallLost => return Some(Answer::Unknown("lost".into())),
            Fault::AnswerLost => {
                world.answer(&self.step);
                return Some(Answer::Unknown("lost".into()));
            }
            Fault::Crash => {
                world.answer(&self.step);
                return None;
            }
            Fault::Twice => drop(world.answer(&self.step)),
            Fault::Late => self.late.push(self.step.clone()),
            Fault::Expiry => world.expire(),
            Fault::None | Fault::Cancel => {}
        }
        Some(world.answer(&self.step))
    }

    fn act(&mut self, next: Next) {
        match next {
            Next::Go(step) | Next::Retry(step) => self.step = step,
            Next::Wait => self.step = first(&self.task),
            Next::Steer(course) => {
                if let Task::Purchase(purchase) = &mut self.task {
                    purchase.course = course;
                }
                self.begin_anew();
            }
            Next::Alert(how) => panic!("nothing contradictory was answered: {how}"),
        }
        if matches!(self.step, Step::Authorize)
            && let Task::Purchase(purchase) = &mut self.task
        {
            purchase.fresh = false;
        }
    }

    fn drive(mut self, world: &mut World, faults: Vec<Fault>) -> End {
        let mut faults = faults.into_iter();
        for round in 0..1000 {
            if let Step::Finish(end) = self.step {
                // What is still on its way arrives after the end, too.
                self.late.iter().for_each(|step| drop(world.answer(step)));
                return end;
            }
            let fault = faults.next().unwrap_or(Fault::None);
            if matches!(fault, Fault::Cancel) {
                self.cancel();
            }
            match self.ask(world, fault) {
                Some(answer) => self.act(next(&self.task, &self.step, answer)),
                None => self.begin_anew(),
            }
            // Only calls of steps that the order has been through arrive late, in any order.
            if round % 3 == 2 && !self.late.is_empty() {
                let step = self.late.remove(self.late.len() / 2);
                world.answer(&step);
            }
        }
        panic!("it never ended: {:?} {world:?}", self.step);
    }
}

fn purchase(costs_money: bool) -> Task {
    Task::Purchase(Purchase { course: Course::Forward, costs_money, fresh: true })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn units_and_money_are_both_taken_or_neither(
        units in 0..2, approves: bool, costs_money: bool, faults in faults(),
    ) {
        let mut world = World::new(units, approves, true);
        let end = Run::new(purchase(costs_money)).drive(&mut world, faults);
        prop_assert!(!world.units_held, "nothing stays held: {world:?}");
        prop_assert_eq!(world.units + i32::from(world.taken), units, "no unit is lost or made");
        match end {
            End::Completed => {
                prop_assert!(world.taken && !world.released && !world.authorized);
                prop_assert_eq!(world.captured, u32::from(costs_money));
                prop_assert!(approves || !costs_money);
            }
            End::Nothing(_) => prop_assert!(!world.taken && world.captured == 0 && !world.authorized, "{world:?}"),
            End::Refunded | End::RefundRefused(_) => prop_assert!(false, "a purchase ended as a refund"),
        }
    }

    #[test]
    fn an_order_comes_to_nothing_only_for_a_reason(
        units in 0..2, approves: bool, costs_money: bool, faults in faults(),
    ) {
        let mut world = World::new(units, approves, true);
        match Run::new(purchase(costs_money)).drive(&mut world, faults.clone()) {
            End::Nothing(Reason::Cancelled) => prop_assert!(faults.iter().any(|f| matches!(f, Fault::Cancel))),
            End::Nothing(Reason::Rejected(Rejection::OutOfStock(_))) => {
                prop_assert!(units == 0);
            }
            End::Nothing(Reason::Rejected(Rejection::PaymentDeclined(_))) => prop_assert!(costs_money && !approves),
            End::Nothing(Reason::Rejected(Rejection::NotSettled)) => prop_assert!(false, "there was time"),
            End::Completed => prop_assert!(units == 1),
            End::Refunded | End::RefundRefused(_) => prop_assert!(false, "a purchase ended as a refund"),
        }
    }

    #[test]
    fn a_refund_is_given_once_or_refused_and_stock_follows_it(refunds: bool, restocks: bool, faults in faults()) {
        let mut world = World::new(0, true, refunds);
        world.captured = 1;
        let end = Run::new(Task::Refund { restocks }).drive(&mut world, faults);
        prop_assert_eq!(matches!(end, End::Refunded), refunds);
        prop_assert_eq!(world.refunded, u32::from(refunds));
        prop_assert_eq!(world.restocked, u32::from(refunds && restocks));
    }

    /// Peers that break the contract can stop an order, but can't make it take money for nothing, or units for nothing.
    #[test]
    fn no_answer_makes_a_step_skip_the_pivot(answer in answers(), course in courses(), fresh: bool) {
        let before = [Step::Reserve, Step::Authorize, Step::LookUp(Doubt::Authorize), Step::Void, Step::Release];
        for step in before {
            let task = Task::Purchase(Purchase { course: course.clone(), costs_money: true, fresh });
            let next = next(&task, &step, answer.clone());
            prop_assert!(next != Next::Go(Step::Capture) && next != Next::Go(Step::Finish(End::Completed)), "{next:?}");
        }
    }

    #[test]
    fn what_is_committed_never_comes_to_nothing(answer in answers(), fresh: bool) {
        let task = Task::Purchase(Purchase { course: Course::Committed, costs_money: true, fresh });
        for step in [Step::Confirm, Step::Capture, Step::LookUp(Doubt::Capture)] {
            let next = next(&task, &step, answer.clone());
            let nothing = matches!(&next, Next::Steer(Course::Back(_)) | Next::Go(Step::Finish(End::Nothing(_))));
            prop_assert!(!nothing, "{step:?}: {next:?}");
        }
    }

    #[test]
    fn what_is_called_off_ends_so_or_is_found_to_be_taken(answer in answers()) {
        let task = Task::Purchase(Purchase { course: Course::Back(Reason::Cancelled), costs_money: true, fresh: false });
        for step in [Step::Release, Step::Void] {
            match next(&task, &step, answer.clone()) {
                Next::Steer(course) => prop_assert_eq!(course, Course::Committed),
                Next::Go(Step::Finish(end)) => prop_assert_eq!(end, End::Nothing(Reason::Cancelled)),
                Next::Go(step) => prop_assert_eq!(step, Step::Void),
                Next::Retry(again) => prop_assert_eq!(again, step),
                Next::Wait | Next::Alert(_) => {}
            }
        }
    }
}

fn answers() -> impl Strategy<Value = Answer> {
    prop::sample::select(vec![
        Answer::Reserved,
        Answer::TooFew(Vec::new()),
        Answer::UnitsGone,
        Answer::HoldExpired,
        Answer::Confirmed,
        Answer::Released,
        Answer::Authorized,
        Answer::Declined("card_declined".into()),
        Answer::InReview,
        Answer::Captured,
        Answer::Voided,
        Answer::Refunded,
        Answer::RefundRefused("no".into()),
        Answer::Restocked,
        Answer::NotDone,
        Answer::Contradiction("of all".into()),
        Answer::Unknown("lost".into()),
    ])
}

fn courses() -> impl Strategy<Value = Course> {
    prop::sample::select(vec![Course::Forward, Course::Back(Reason::Cancelled), Course::Committed])
}
