//! What the generated checks are made of. The rules stand in the contract as `buf.validate.field` and
//! `google.api.field_behavior`; the build turns them into one [`Checked`] for each message.

use std::sync::OnceLock;

use regex::Regex;

/// A field that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The path to the field, in the names of the contract: `cart.items[2].quantity`.
    pub field: String,
    pub description: String,
}

/// A message with the rules of its contract. Implemented by the build for every message.
pub trait Checked {
    /// Whether some method takes it as its request. Only requests are checked when they arrive.
    const IS_REQUEST: bool;
    /// Whether it names the fields that count in an update mask: then fields that only the server sets are ignored, not refused, so
    /// that a resource can be sent back as it was read (AIP-203).
    fn is_masked(&self) -> bool;
    /// Adds the violations of this message and of those inside it.
    fn check(&self, found: &mut Found);
}

/// The violations of a request; empty if it keeps all rules.
pub fn violations<M: Checked>(message: &M) -> Vec<Violation> {
    let mut found = Found { path: String::new(), refuse_output_only: !message.is_masked(), violations: Vec::new() };
    message.check(&mut found);
    found.violations
}

/// Collects violations along the path to a field.
pub struct Found {
    path: String,
    refuse_output_only: bool,
    violations: Vec<Violation>,
}

impl Found {
    /// The field must be set.
    pub fn required(&mut self, field: &str, is_set: bool) {
        if !is_set {
            self.add(field, "is required".into());
        }
    }

    /// The field is the server's to set.
    pub fn output_only(&mut self, field: &str, is_set: bool) {
        if is_set && self.refuse_output_only {
            self.add(field, "is set by the server and can't be sent".into());
        }
    }

    /// No text holds control characters, but for tabs and line breaks: databases can't take NUL, and terminals do what others say.
    pub fn text(&mut self, field: &str, value: &str) {
        if value.chars().any(|letter| letter.is_control() && !matches!(letter, '\t' | '\n' | '\r')) {
            self.add(field, "must not hold control characters".into());
        }
    }

    /// Like [`Self::text`], for each item.
    pub fn texts(&mut self, field: &str, values: &[String]) {
        for (index, value) in values.iter().enumerate() {
            self.text(&format!("{field}[{index}]"), value);
        }
    }

    /// The field's value must keep the rule.
    pub fn scalar<T>(&mut self, field: &str, value: T, rule: &impl Rule<T>) {
        if let Some(description) = rule.broken_by(value) {
            self.add(field, description);
        }
    }

    /// An item of a repeated field must keep the rule.
    pub fn item<T>(&mut self, field: &str, index: usize, value: T, rule: &impl Rule<T>) {
        if let Some(description) = rule.broken_by(value) {
            self.add(&format!("{field}[{index}]"), description);
        }
    }

    /// A repeated field must have a number of items in this range. If it has, its items are worth a look.
    pub fn count(&mut self, field: &str, len: usize, min: u64, max: u64) -> bool {
        let len = len as u64;
        if len < min {
            self.add(field, format!("must have at least {min} item(s)"));
        } else if len > max {
            self.add(field, format!("must have at most {max} items, and has {len}"));
        }
        (min..=max).contains(&len)
    }

    /// The message in a field, if it is set.
    pub fn child<M: Checked>(&mut self, field: &str, message: &Option<M>) {
        if let Some(message) = message {
            self.within(field, message);
        }
    }

    /// The messages in a repeated field.
    pub fn each<M: Checked>(&mut self, field: &str, messages: &[M]) {
        for (index, message) in messages.iter().enumerate() {
            self.within(&format!("{field}[{index}]"), message);
        }
    }

    fn within<M: Checked>(&mut self, field: &str, message: &M) {
        let outer = self.path.len();
        self.path.push_str(field);
        self.path.push('.');
        message.check(self);
        self.path.truncate(outer);
    }

    /// A field is told once, by the first rule that it breaks.
    fn add(&mut self, field: &str, description: String) {
        let field = format!("{}{field}", self.path);
        if self.violations.last().is_none_or(|last| last.field != field) {
            self.violations.push(Violation { field, description });
        }
    }
}

/// A rule for values of one type.
pub trait Rule<T> {
    /// What the rule asks for, if the value breaks it.
    fn broken_by(&self, value: T) -> Option<String>;
}

/// `buf.validate.StringRules`.
#[derive(Default)]
pub struct StringRules {
    pub min_len: Option<usize>,
    /// Most characters.
    pub max_len: Option<usize>,
    pub pattern: Option<&'static Pattern>,
    pub uuid: bool,
}

impl Rule<&str> for StringRules {
    fn broken_by(&self, value: &str) -> Option<String> {
        let len = value.chars().count();
        match *self {
            Self { min_len: Some(min), .. } if len == 0 && min > 0 => Some("is required".into()),
            Self { min_len: Some(min), .. } if len < min => Some(format!("must have at least {min} characters")),
            Self { max_len: Some(max), .. } if len > max => {
                Some(format!("must have at most {max} characters, and has {len}"))
            }
            Self { pattern: Some(pattern), .. } if len == 0 && !pattern.matches(value) => Some("is required".into()),
            Self { pattern: Some(pattern), .. } if !pattern.matches(value) => {
                Some(format!("must match {}", pattern.source))
            }
            Self { uuid: true, .. } if value.len() != 36 || uuid::Uuid::try_parse(value).is_err() => {
                Some("must be a UUID such as 018f4e2a-7c1b-7d3e-9a52-0c6f1f0e8b11".into())
            }
            Self { .. } => None,
        }
    }
}

/// `buf.validate.BytesRules`.
#[derive(Default)]
pub struct BytesRules {
    /// Most bytes.
    pub max_len: Option<usize>,
}

impl Rule<&[u8]> for BytesRules {
    fn broken_by(&self, value: &[u8]) -> Option<String> {
        let max = self.max_len.filter(|max| value.len() > *max)?;
        Some(format!("must have at most {max} bytes, and has {}", value.len()))
    }
}

/// `buf.validate.Int32Rules`.
#[derive(Default)]
pub struct Int32Rules {
    pub gte: Option<i32>,
    pub lte: Option<i32>,
}

impl Rule<i32> for Int32Rules {
    fn broken_by(&self, value: i32) -> Option<String> {
        out_of_range(value, self.gte, self.lte)
    }
}

/// `buf.validate.Int64Rules`.
#[derive(Default)]
pub struct Int64Rules {
    pub gte: Option<i64>,
    pub lte: Option<i64>,
}

impl Rule<i64> for Int64Rules {
    fn broken_by(&self, value: i64) -> Option<String> {
        out_of_range(value, self.gte, self.lte)
    }
}

fn out_of_range<T: PartialOrd + std::fmt::Display>(value: T, gte: Option<T>, lte: Option<T>) -> Option<String> {
    let low = gte.filter(|low| value < *low).map(|low| format!("must be at least {low}, and is {value}"));
    low.or_else(|| lte.filter(|high| value > *high).map(|high| format!("must be at most {high}, and is {value}")))
}

/// `buf.validate.EnumRules`.
pub struct EnumRules {
    pub known: fn(i32) -> bool,
}

impl Rule<i32> for EnumRules {
    fn broken_by(&self, value: i32) -> Option<String> {
        (!(self.known)(value)).then(|| format!("must be a value that the contract defines, and is {value}"))
    }
}

/// A regular expression of the contract, compiled when it is first needed. The tests of this crate compile all.
pub struct Pattern {
    source: &'static str,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// From its source in the contract.
    pub const fn new(source: &'static str) -> Self {
        Self { source, compiled: OnceLock::new() }
    }

    /// A pattern that is no regular expression matches nothing: a mistake in the contract refuses, never admits.
    fn matches(&self, value: &str) -> bool {
        self.compiled.get_or_init(|| Regex::new(self.source).ok()).as_ref().is_some_and(|regex| regex.is_match(value))
    }
}
