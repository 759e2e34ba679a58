//! Path templates of `google.api.http`:
//!
//! ```text
//! Template = "/" Segments [ ":" LITERAL ] ;
//! Segments = Segment { "/" Segment } ;
//! Segment  = "*" | "**" | LITERAL | "{" FieldPath [ "=" Segments ] "}" ;
//! ```
//!
//! `*` is one segment, `**` is all that are left and stands last, and the LITERAL after the colon is a custom verb (AIP-136).

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    /// What each segment of the path must be.
    pub(crate) segments: Vec<Segment>,
    pub(crate) verb: Option<String>,
    pub(crate) variables: Vec<Variable>,
}

/// What a segment of the path must be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Segment {
    Literal(String),
    One,
    Rest,
}

/// A field that the path fills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    /// The path to the field, in the names of the contract.
    pub(crate) field: String,
    start: usize,
    /// The segment after its last one; `None` if it takes all that are left.
    end: Option<usize>,
}

impl Template {
    /// Reads a template; the error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let rest = text.strip_prefix('/').ok_or("must begin with a slash")?;
        let mut parser = Parser { rest, read: Self { segments: Vec::new(), verb: None, variables: Vec::new() } };
        parser.segments(false)?;
        if parser.eat(":") {
            parser.read.verb = Some(parser.literal()?);
        }
        if !parser.rest.is_empty() {
            return Err("has something after its end");
        }
        Ok(parser.read)
    }
}

impl Variable {
    /// Its value in a path that matches the template. `None` if a segment of a value made of several holds a slash,
    /// sent as `%2F`: such a value would look like one with more segments than it has.
    pub(crate) fn value(&self, path: &[String]) -> Option<String> {
        let segments = path.get(self.start..self.end.unwrap_or(path.len()))?;
        let ambiguous = self.end != Some(self.start + 1) && segments.iter().any(|segment| segment.contains('/'));
        (!ambiguous).then(|| segments.join("/"))
    }
}

struct Parser<'a> {
    rest: &'a str,
    read: Template,
}

impl Parser<'_> {
    fn segments(&mut self, in_variable: bool) -> Result<(), &'static str> {
        loop {
            self.segment(in_variable)?;
            if !self.eat("/") {
                return Ok(());
            }
        }
    }

    fn segment(&mut self, in_variable: bool) -> Result<(), &'static str> {
        if self.read.segments.last() == Some(&Segment::Rest) {
            return Err("has segments after **");
        }
        if self.eat("{") {
            return if in_variable { Err("has a variable in a variable") } else { self.variable() };
        }
        let segment = if self.eat("**") {
            Segment::Rest
        } else if self.eat("*") {
            Segment::One
        } else {
            Segment::Literal(self.literal()?)
        };
        self.read.segments.push(segment);
        Ok(())
    }

    fn variable(&mut self) -> Result<(), &'static str> {
        let field = self.take(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
        if field.is_empty() {
            return Err("has a variable without a name");
        }
        let start = self.read.segments.len();
        if self.eat("=") {
            self.segments(true)?;
        } else {
            self.read.segments.push(Segment::One);
        }
        if !self.eat("}") {
            return Err("has a variable that does not end");
        }
        let open = self.read.segments.last() == Some(&Segment::Rest);
        let end = (!open).then_some(self.read.segments.len());
        self.read.variables.push(Variable { field, start, end });
        Ok(())
    }

    fn literal(&mut self) -> Result<String, &'static str> {
        let literal = self.take(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~'));
        if literal.is_empty() { Err("has an empty or misspelt segment") } else { Ok(literal) }
    }

    fn take(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let end = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken.to_owned()
    }

    fn eat(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::{Segment, Template};

    fn values(template: &str, path: &[&str]) -> Vec<Option<String>> {
        let path: Vec<String> = path.iter().map(|&segment| segment.to_owned()).collect();
        Template::parse(template).unwrap().variables.iter().map(|variable| variable.value(&path)).collect()
    }

    #[test]
    fn a_template_is_literals_wildcards_variables_and_a_verb() {
        let template = Template::parse("/v1/{parent=products/*}/variants:batchGet").unwrap();
        let literal = |text: &str| Segment::Literal(text.into());
        assert_eq!(template.segments, [literal("v1"), literal("products"), Segment::One, literal("variants")]);
        assert_eq!(template.verb.as_deref(), Some("batchGet"));
        assert_eq!(template.variables[0].field, "parent");
    }

    #[test]
    fn a_variable_takes_its_segments() {
        assert_eq!(values("/v1/{cart.name=carts/*}", &["v1", "carts", "x"]), [Some("carts/x".into())]);
        assert_eq!(values("/v1/{id}/{file=**}", &["v1", "a", "b", "c"]), [Some("a".into()), Some("b/c".into())]);
    }

    #[test]
    fn an_encoded_slash_can_not_pass_for_a_separator() {
        assert_eq!(values("/v1/{name=carts/*}", &["v1", "carts", "x/y"]), [None]);
        assert_eq!(values("/v1/{id}", &["v1", "x/y"]), [Some("x/y".into())]);
    }

    #[test]
    fn bad_templates_are_refused() {
        for text in ["", "v1", "/", "/v1/", "/{", "/{}", "/{a=b", "/{a={b}}", "/**/a", "/a:", "/a:b:c", "/a b", "/a}"] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>(), odd in "[/{}*:=a.]{0,24}") {
            let _ = Template::parse(&text);
            let _ = Template::parse(&odd);
        }
    }
}
