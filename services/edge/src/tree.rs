//! Finds the routes that a path belongs to, segment by segment; a literal goes before `*`, and `*` before `**`.

use std::collections::HashMap;

use http::Method;

use crate::percent;
use crate::template::{Segment, Template};

#[derive(Debug)]
pub(crate) struct Tree<T> {
    root: Node<T>,
}

/// A route at the end of a path.
#[derive(Debug)]
pub(crate) struct End<T> {
    verb: Option<String>,
    pub(crate) method: Method,
    pub(crate) route: T,
}

/// The path of a request: decoded segments, and the custom verb. A colon in the last segment always begins a verb;
/// one that belongs to the segment is sent as `%3A`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RequestPath {
    pub(crate) segments: Vec<String>,
    verb: Option<String>,
}

#[derive(Debug)]
struct Node<T> {
    literals: HashMap<String, Node<T>>,
    one: Option<Box<Node<T>>>,
    rest: Option<Box<Node<T>>>,
    ends: Vec<End<T>>,
}

impl RequestPath {
    /// Splits and decodes; `None` if the path is badly encoded.
    pub(crate) fn parse(path: &str) -> Option<Self> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let last = path.rfind('/').map_or(0, |slash| slash + 1);
        let colon = path.get(last..)?.rfind(':').map(|colon| last + colon);
        let (path, verb) = match colon {
            Some(colon) => (path.get(..colon)?, Some(percent::decode(path.get(colon + 1..)?)?)),
            None => (path, None),
        };
        let segments = path.split('/').map(percent::decode).collect::<Option<_>>()?;
        Some(Self { segments, verb })
    }
}

impl<T> Tree<T> {
    pub(crate) fn new() -> Self {
        Self { root: Node::new() }
    }

    /// Adds a route, or gives back the one that has its place.
    pub(crate) fn insert(&mut self, template: &Template, method: Method, route: T) -> Result<(), &T> {
        let mut node = &mut self.root;
        for segment in &template.segments {
            node = match segment {
                Segment::Literal(text) => node.literals.entry(text.clone()).or_default(),
                Segment::One => node.one.get_or_insert_with(Box::default),
                Segment::Rest => node.rest.get_or_insert_with(Box::default),
            };
        }
        match node.ends.iter().position(|end| end.verb == template.verb && end.method == method) {
            Some(taken) => Err(&node.ends[taken].route),
            None => {
                node.ends.push(End { verb: template.verb.clone(), method, route });
                Ok(())
            }
        }
    }

    /// All routes with this path, of any method, the best first.
    pub(crate) fn find(&self, path: &RequestPath) -> Vec<&End<T>> {
        let mut found = Vec::new();
        self.root.find(&path.segments, path.verb.as_deref(), &mut found);
        found
    }
}

impl<T> Node<T> {
    fn new() -> Self {
        Self { literals: HashMap::new(), one: None, rest: None, ends: Vec::new() }
    }

    /// Goes no deeper than the longest template, however long the path is.
    fn find<'a>(&'a self, path: &[String], verb: Option<&str>, found: &mut Vec<&'a End<T>>) {
        let Some((first, left)) = path.split_first() else {
            let rest = self.rest.iter().flat_map(|node| &node.ends);
            return found.extend(self.ends.iter().chain(rest).filter(|end| end.verb.as_deref() == verb));
        };
        if let Some(node) = self.literals.get(first) {
            node.find(left, verb, found);
        }
        if let Some(node) = self.one.as_ref().filter(|_| !first.is_empty()) {
            node.find(left, verb, found);
        }
        if let Some(node) = &self.rest {
            found.extend(node.ends.iter().filter(|end| end.verb.as_deref() == verb));
        }
    }
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use http::Method;
    use proptest::prelude::{any, proptest};

    use super::{RequestPath, Template, Tree};

    fn tree(templates: &[&'static str]) -> Tree<&'static str> {
        let mut tree = Tree::new();
        for text in templates {
            tree.insert(&Template::parse(text).unwrap(), Method::GET, *text).unwrap();
        }
        tree
    }

    fn find(tree: &Tree<&'static str>, path: &str) -> Vec<&'static str> {
        tree.find(&RequestPath::parse(path).unwrap()).iter().map(|end| end.route).collect()
    }

    #[test]
    fn a_literal_goes_before_a_wildcard_and_one_segment_before_the_rest() {
        let tree = tree(&["/v1/**", "/v1/{name=users/*}", "/v1/users/me"]);
        assert_eq!(find(&tree, "/v1/users/me"), ["/v1/users/me", "/v1/{name=users/*}", "/v1/**"]);
        assert_eq!(find(&tree, "/v1/users/x"), ["/v1/{name=users/*}", "/v1/**"]);
        assert_eq!(find(&tree, "/v1/a/b/c"), ["/v1/**"]);
        assert_eq!(find(&tree, "/v1"), ["/v1/**"]);
        assert!(find(&tree, "/v2").is_empty());
    }

    #[test]
    fn a_verb_is_part_of_the_path_and_an_encoded_colon_is_none() {
        let tree = tree(&["/v1/products:import", "/v1/{name=products/*}", "/v1/{cart=carts/*}:setItem"]);
        assert_eq!(find(&tree, "/v1/products:import"), ["/v1/products:import"]);
        assert_eq!(find(&tree, "/v1/carts/x:setItem"), ["/v1/{cart=carts/*}:setItem"]);
        assert_eq!(find(&tree, "/v1/products/a%3Ab"), ["/v1/{name=products/*}"]);
        for path in ["/v1/products", "/v1/products:x", "/v1/products/a:b", "/v1/carts/x", "/v1/carts/:setItem"] {
            assert!(find(&tree, path).is_empty(), "{path}");
        }
    }

    #[test]
    fn an_empty_segment_is_no_name() {
        let tree = tree(&["/v1/{name=products/*}"]);
        for path in ["/v1/products/", "/v1//products/x", "//v1/products/x", "/v1/products/x/", "", "*"] {
            assert!(find(&tree, path).is_empty(), "{path}");
        }
    }

    #[test]
    fn two_routes_in_one_place_collide_whatever_their_variables_are_called() {
        let mut tree = tree(&["/v1/{name=products/*}"]);
        let other = Template::parse("/v1/products/{id}").unwrap();
        assert_eq!(tree.insert(&other, Method::GET, "other"), Err(&"/v1/{name=products/*}"));
        assert_eq!(tree.insert(&other, Method::POST, "other"), Ok(()));
    }

    proptest! {
        #[test]
        fn no_path_makes_it_panic(path in any::<String>(), odd in "[/:%a-c0-9*]{0,40}") {
            let tree = tree(&["/v1/**", "/{a=*}/{b=*}:c", "/a/b"]);
            for path in [path, odd] {
                let _ = RequestPath::parse(&path).map(|path| tree.find(&path).len());
            }
        }
    }
}
