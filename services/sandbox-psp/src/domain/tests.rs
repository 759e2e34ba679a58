//! The rules, held against every sequence of calls that a short list of keys and amounts can make.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use kontor_types::ids::new_uuid;
use kontor_types::{Currency, Money};
use proptest::prelude::*;

use super::refusal::AmountFault;
use super::*;

/// A provider without a journal: the ledger, the entries it was made of, and a clock.
#[derive(Default)]
struct Sandbox {
    ledger: Ledger,
    entries: Vec<Entry>,
    time: DateTime<Utc>,
}

impl Sandbox {
    fn send(&mut self, request: &Request) -> Result<Payment, Refusal> {
        if let Some(entry) = review(&self.ledger, &request.authorization_key, self.time) {
            self.keep(entry);
        }
        match decide(&self.ledger, request, Now { time: self.time, id: new_uuid() })? {
            Verdict::Again(payment) => Ok(payment),
            Verdict::New(entry) => Ok(self.keep(entry)),
        }
    }

    fn keep(&mut self, entry: Entry) -> Payment {
        self.entries.push(entry.clone());
        self.ledger.apply(entry.clone());
        entry.payment
    }

    fn wait(&mut self, seconds: i64) {
        self.time += TimeDelta::seconds(seconds);
    }
}

fn usd(minor: i64) -> Money {
    Money { minor, currency: Currency::USD }
}

fn request(key: &str, authorization_key: &str, ask: Ask) -> Request {
    Request { key: key.into(), authorization_key: authorization_key.into(), ask }
}

fn authorize(key: &str, minor: i64, token: &str) -> Request {
    let behaviour = Behaviour::of_token(token);
    request(key, key, Ask::Authorize(Terms { order: "orders/1".into(), amount: usd(minor), behaviour }))
}

fn any_request() -> impl Strategy<Value = Request> {
    // Amounts mostly agree and are mostly approved, so that many sequences come as far as refunds.
    let money = || prop_oneof![5 => Just(usd(2)), 3 => (-1..=3_i64).prop_map(usd), 1 => Just(Money { minor: 2, currency: eur() })];
    let token = prop_oneof![5 => Just("tok_approve"), 2 => Just("tok_review"), 1 => Just("tok_decline"), 1 => Just("tok_error_after")];
    let authorization = ("[ab]", money(), token).prop_map(|(key, amount, token)| {
        let terms = Terms { order: "orders/1".into(), amount, behaviour: Behaviour::of_token(token) };
        request(&key, &key, Ask::Authorize(terms))
    });
    let ask =
        prop_oneof![3 => money().prop_map(Ask::Capture), 1 => Just(Ask::Void), 4 => money().prop_map(Ask::Refund)];
    let other = ("[a-l]", "[ab]", ask).prop_map(|(key, about, ask)| request(&key, &about, ask));
    prop_oneof![authorization, other]
}

fn eur() -> Currency {
    Currency::from_code("EUR").unwrap()
}

fn minor_of(entries: &[Entry], key: &str, ask: fn(&Ask) -> Option<Money>) -> Vec<i64> {
    let calls = entries.iter().filter_map(|entry| match &entry.cause {
        Cause::Call(request) if request.authorization_key == key => ask(&request.ask),
        Cause::Call(_) | Cause::Review => None,
    });
    calls.map(|money| money.minor).collect()
}

fn captured(ask: &Ask) -> Option<Money> {
    if let Ask::Capture(amount) = ask { Some(*amount) } else { None }
}

fn refunded(ask: &Ask) -> Option<Money> {
    if let Ask::Refund(amount) = ask { Some(*amount) } else { None }
}

proptest! {
    #[test]
    fn money_moves_once_and_never_more_than_was_authorised(calls in prop::collection::vec((any_request(), 0..4_i64), 1..40)) {
        let mut sandbox = Sandbox::default();
        for (call, seconds) in &calls {
            sandbox.wait(*seconds);
            let _ = sandbox.send(call);
        }
        for key in ["a", "b"] {
            let Some(Payment { state, sums, .. }) = sandbox.ledger.find(key) else { continue };
            let captures = minor_of(&sandbox.entries, key, captured);
            let refunds: i64 = minor_of(&sandbox.entries, key, refunded).iter().sum();
            let (authorized, taken, back) = sums.map_or((0, 0, 0), |s| (s.authorized.minor, s.captured.minor, s.refunded.minor));
            prop_assert_eq!(captures.iter().sum::<i64>(), taken);
            prop_assert_eq!(refunds, back);
            prop_assert!(taken == 0 || captures == [authorized]);
            prop_assert!(0 <= back && back <= taken);
            prop_assert_eq!(matches!(state, State::Captured | State::Refunded), taken > 0);
            prop_assert_eq!(*state == State::Refunded, taken > 0 && back == taken);
        }
    }

    #[test]
    fn a_repeat_gets_the_first_answer_and_another_request_is_refused(calls in prop::collection::vec(any_request(), 1..40)) {
        let mut sandbox = Sandbox::default();
        let mut first: HashMap<String, (Request, Payment)> = HashMap::new();
        for call in &calls {
            let (entries, answer) = (sandbox.entries.len(), sandbox.send(call));
            match first.get(&call.key) {
                // The clock stands still, so reviews do not end; a void is what can follow one.
                Some((request, payment)) if request == call && payment.state == State::InReview => {}
                Some((request, payment)) if request == call => prop_assert_eq!(answer, Ok(payment.clone())),
                Some(_) => prop_assert_eq!(answer, Err(Refusal::KeyReused)),
                None => {
                    if let Ok(payment) = answer {
                        prop_assert_eq!(sandbox.entries.len(), entries + 1);
                        first.insert(call.key.clone(), (call.clone(), payment));
                    }
                    continue;
                }
            }
            prop_assert_eq!(sandbox.entries.len(), entries, "a repeat must do nothing");
        }
    }

    #[test]
    fn nothing_is_held_or_taken_after_a_void(calls in prop::collection::vec((any_request(), 0..4_i64), 1..40)) {
        let mut sandbox = Sandbox::default();
        let mut voided = Vec::new();
        for (call, seconds) in &calls {
            sandbox.wait(*seconds);
            if sandbox.send(call).is_ok() && call.ask == Ask::Void {
                voided.push(call.authorization_key.clone());
            }
            for key in &voided {
                let state = sandbox.ledger.find(key).map(|payment| payment.state);
                prop_assert!(matches!(state, Some(State::Voided | State::Declined)), "{:?}", state);
            }
        }
    }
}

#[test]
fn a_late_authorisation_of_a_voided_key_is_declined() {
    let mut sandbox = Sandbox::default();
    assert_eq!(sandbox.send(&request("v", "a", Ask::Void)).map(|p| p.state), Ok(State::Voided));
    let late = sandbox.send(&authorize("a", 5, "tok_approve")).unwrap();
    assert_eq!((late.state, late.decline), (State::Declined, Some(Decline::Voided)));
}

#[test]
fn a_capture_wants_the_whole_amount_in_its_currency() {
    let mut sandbox = Sandbox::default();
    sandbox.send(&authorize("a", 5, "tok_approve")).unwrap();
    let refused = |fault| Err(Refusal::Amount(fault));
    assert_eq!(sandbox.send(&request("c", "a", Ask::Capture(usd(4)))), refused(AmountFault::NotInFull(usd(5))));
    let euros = Money { minor: 5, currency: eur() };
    let other_currency = refused(AmountFault::OtherCurrency(Currency::USD));
    assert_eq!(sandbox.send(&request("c", "a", Ask::Capture(euros))), other_currency);
    // What was refused is not remembered: the key is still free.
    assert_eq!(sandbox.send(&request("c", "a", Ask::Capture(usd(5)))).map(|p| p.state), Ok(State::Captured));
    assert_eq!(sandbox.send(&request("c2", "a", Ask::Capture(usd(5)))), Err(Refusal::WrongState(State::Captured)));
    assert_eq!(sandbox.send(&request("v", "a", Ask::Void)), Err(Refusal::WrongState(State::Captured)));
}

#[test]
fn a_review_ends_after_five_seconds_and_not_before() {
    let mut sandbox = Sandbox::default();
    let call = authorize("a", 5, "tok_review");
    assert_eq!(sandbox.send(&call).map(|p| p.state), Ok(State::InReview));
    sandbox.wait(4);
    assert_eq!(sandbox.send(&call).map(|p| p.state), Ok(State::InReview));
    sandbox.wait(1);
    assert_eq!(sandbox.send(&call).map(|p| p.state), Ok(State::Authorized));
    sandbox.send(&request("c", "a", Ask::Capture(usd(5)))).unwrap();
    assert_eq!(sandbox.send(&call).map(|p| p.state), Ok(State::Authorized), "the answer stays, whatever came later");
}
