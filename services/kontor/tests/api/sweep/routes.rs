//! All routes, as the contract has them.

use std::fmt;

use kontor_proto::DESCRIPTOR_SET;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, MethodDescriptor};
use reqwest::Method;

#[derive(Clone)]
pub(super) struct Route {
    pub(super) method: Method,
    /// Such as `/v1/{cart=carts/*}:setItem`.
    template: String,
    pub(super) has_body: bool,
    pub(super) input: MessageDescriptor,
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.template)
    }
}

impl Route {
    /// The collections that the path's wildcards are in: `products`, `variants`.
    pub(super) fn collections(&self) -> Vec<&str> {
        let before = self.template.match_indices("/*").map(|(at, _)| &self.template[..at]);
        before.filter_map(|path| path.rsplit(['/', '=']).next()).collect()
    }

    /// Whether the path gives the field, so that the body need not.
    pub(super) fn binds(&self, field: &str) -> bool {
        self.template.contains(&format!("{{{field}=")) || self.template.contains(&format!(".{field}="))
    }

    pub(super) fn is_file(&self) -> bool {
        self.input.full_name() == "google.api.HttpBody"
    }

    /// The path with these segments in the place of its wildcards.
    pub(super) fn path(&self, segments: &[String]) -> String {
        let mut path = String::new();
        let mut segments = segments.iter();
        for part in self.template.split_inclusive(['{', '}', '*']) {
            let text = part.trim_end_matches(['{', '}', '*']);
            path.push_str(text.rsplit_once('=').map_or(text, |(_, pattern)| pattern));
            if part.ends_with('*') {
                path.push_str(segments.next().expect("enough segments"));
            }
        }
        path
    }
}

/// They would end the sessions of all other tests, or of this one.
const SPARED: [&str; 4] = ["DeleteUser", "RevokeAllSessions", "RotateSigningKey", "SignOut"];

pub(super) fn all() -> Vec<Route> {
    let contract = DescriptorPool::decode(DESCRIPTOR_SET).unwrap();
    let methods = contract.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    let methods = methods.filter(|method| !SPARED.contains(&method.name()));
    let routes: Vec<_> = methods.filter_map(|method| route(&contract, &method)).collect();
    assert!(routes.len() > 15, "{routes:?}");
    routes
}

fn route(contract: &DescriptorPool, method: &MethodDescriptor) -> Option<Route> {
    let http = contract.get_extension_by_name("google.api.http")?;
    let options = method.options();
    let rule = options.has_extension(&http).then(|| options.get_extension(&http).as_message().cloned()).flatten()?;
    let verb = ["get", "post", "put", "patch", "delete"].into_iter().find(|verb| rule.has_field_by_name(verb))?;
    let body = text(&rule, "body");
    let field = method.input().get_field_by_name(&body).and_then(|field| field.kind().as_message().cloned());
    Some(Route {
        method: verb.to_uppercase().parse().ok()?,
        template: text(&rule, verb),
        has_body: !body.is_empty(),
        input: field.unwrap_or_else(|| method.input()),
    })
}

fn text(rule: &DynamicMessage, field: &str) -> String {
    rule.get_field_by_name(field).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
