//! Who may call what, read from the contract: the option `(kontor.access.v1.rule)` of each method.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use prost_reflect::{DynamicMessage, MethodDescriptor, ReflectMessage, Value};
use tonic::{Code, Status};

use crate::caller::{Caller, Subject};
use crate::fault::{ErrorReason, Fault};

/// What the tokens of Kontor's own services carry, and those of service accounts that operators make for others never do.
pub const INTERNAL: &str = "internal";

/// Who may call a method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Anyone; some reach more with the permission.
    Public(Option<String>),
    /// Any user or service with a valid token; some reach more with the permission.
    SignedIn(Option<String>),
    /// Callers whose token carries the permission.
    Permission(String),
    Internal,
}

/// A contract that can't be served.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    #[error("the service {0} is not in the contract")]
    UnknownService(String),
    #[error("the method {0} has no rule: give it the option (kontor.access.v1.rule)")]
    NoRule(String),
}

/// The rules of some services, by the path of each method: `/kontor.order.v1.OrderService/GetOrder`.
#[derive(Clone, Debug, Default)]
pub struct Rules(HashMap<String, Guarded>);

/// A method and who may call it.
#[derive(Clone, Debug)]
struct Guarded {
    name: Arc<str>,
    rule: Rule,
    streams: bool,
    is_streamed_to: bool,
}

impl Rules {
    /// Adds those of one service, or says which method has none.
    pub fn add(&mut self, contract: &prost_reflect::DescriptorPool, service: &str) -> Result<(), AccessError> {
        let descriptor =
            contract.get_service_by_name(service).ok_or_else(|| AccessError::UnknownService(service.into()))?;
        for method in descriptor.methods() {
            let rule = rule_of(&method).ok_or_else(|| AccessError::NoRule(method.full_name().into()))?;
            let name = format!("{service}/{}", method.name());
            let guarded = Guarded {
                name: name.as_str().into(),
                rule,
                streams: method.is_server_streaming(),
                is_streamed_to: method.is_client_streaming(),
            };
            self.0.insert(format!("/{name}"), guarded);
        }
        Ok(())
    }

    /// The rule of a method; none if no service here has it.
    pub fn get(&self, path: &str) -> Option<&Rule> {
        self.0.get(path).map(|method| &method.rule)
    }

    /// The name of a method, `kontor.order.v1.OrderService/GetOrder`; none if no service here has it.
    pub(crate) fn method_name(&self, path: &str) -> Option<Arc<str>> {
        self.0.get(path).map(|method| Arc::clone(&method.name))
    }

    /// Whether a method takes a stream, which may go on for long after its caller was let in.
    pub(crate) fn is_streamed_to(&self, path: &str) -> bool {
        self.0.get(path).is_some_and(|method| method.is_streamed_to)
    }

    /// Whether a method answers with a stream, which may go on for long after its caller was let in.
    pub(crate) fn streams(&self, path: &str) -> bool {
        self.0.get(path).is_some_and(|method| method.streams)
    }
}

/// All permissions that the contract asks for, by the rules of its methods.
pub fn permissions_asked() -> BTreeSet<String> {
    let methods = crate::contract().services().flat_map(|service| service.methods().collect::<Vec<_>>());
    methods.filter_map(|method| rule_of(&method)?.permission().map(str::to_owned)).collect()
}

/// The rule that stands in the contract beside a method.
pub fn rule_of(method: &MethodDescriptor) -> Option<Rule> {
    let extension = method.parent_pool().get_extension_by_name("kontor.access.v1.rule")?;
    let options = method.options();
    if !options.has_extension(&extension) {
        return None;
    }
    kind_of(options.get_extension(&extension).as_message()?)
}

fn kind_of(rule: &DynamicMessage) -> Option<Rule> {
    let oneof = rule.descriptor().oneofs().find(|oneof| oneof.name() == "kind")?;
    let field = oneof.fields().find(|field| rule.has_field(field))?;
    match (field.name(), rule.get_field(&field).as_ref()) {
        ("public", Value::Message(public)) => Some(Rule::Public(extension_of(public))),
        ("signed_in", Value::Message(signed_in)) => Some(Rule::SignedIn(extension_of(signed_in))),
        ("internal", _) => Some(Rule::Internal),
        ("permission", Value::String(permission)) if !permission.is_empty() => {
            Some(Rule::Permission(permission.clone()))
        }
        (_, _) => None,
    }
}

/// The permission that lets callers reach more.
fn extension_of(rule: &DynamicMessage) -> Option<String> {
    let value = rule.get_field_by_name("extended_by")?;
    value.as_str().filter(|permission| !permission.is_empty()).map(str::to_owned)
}

impl Rule {
    /// The permission that the method asks for, or that reaches more with it.
    pub fn permission(&self) -> Option<&str> {
        match self {
            Self::Permission(permission) => Some(permission),
            Self::Public(extension) | Self::SignedIn(extension) => extension.as_deref(),
            Self::Internal => None,
        }
    }

    /// Whether a permission lets the caller in, or reach more. Those are let in only while it can be told that they still have it.
    pub(crate) fn is_privilege_of(&self, caller: &Caller) -> bool {
        self.permission().is_some_and(|permission| caller.may(permission))
    }

    /// Lets the caller in, or says why not.
    pub fn admit(&self, caller: &Caller) -> Result<(), Status> {
        match (self, &caller.subject) {
            (Self::Public(_), _) => Ok(()),
            (Self::Internal, Subject::Service(_)) if caller.is_internal() => Ok(()),
            (Self::SignedIn(_), Subject::User(_) | Subject::Service(_)) => Ok(()),
            (Self::Permission(permission), Subject::User(_) | Subject::Service(_)) => {
                if caller.may(permission) {
                    Ok(())
                } else {
                    Err(missing_permission(permission))
                }
            }
            (Self::Internal, Subject::User(_) | Subject::Service(_)) => Err(services_only()),
            (Self::Internal | Self::SignedIn(_) | Self::Permission(_), Subject::Anonymous) => Err(no_token()),
        }
    }
}

/// PERMISSION_DENIED: the caller lacks the permission.
pub fn missing_permission(permission: &str) -> Status {
    let message = format!("this needs the permission {permission}, which your token does not carry");
    let fault = Fault::new(Code::PermissionDenied, ErrorReason::PermissionMissing, message);
    fault.metadata("permission", permission).into()
}

fn services_only() -> Status {
    Fault::new(Code::PermissionDenied, ErrorReason::InternalMethod, "this method is for Kontor's own services").into()
}

/// UNAUTHENTICATED: nobody is signed in.
pub fn no_token() -> Status {
    let message = "sign in first: send an access token as \"authorization: Bearer TOKEN\"";
    Fault::new(Code::Unauthenticated, ErrorReason::TokenMissing, message).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_of_the_contract_has_a_rule() {
        let mut rules = Rules::default();
        for service in crate::contract().services() {
            rules.add(crate::contract(), service.full_name()).unwrap();
        }
        assert_eq!(rules.get("/kontor.order.v1.OrderService/PlaceOrder"), Some(&Rule::Public(None)));
        let import = Rule::Permission("catalog.edit".into());
        assert_eq!(rules.get("/kontor.catalog.v1.ProductService/ImportProducts"), Some(&import));
        assert_eq!(rules.get("/kontor.catalog.v1.InventoryService/ReserveStock"), Some(&Rule::Internal));
    }

    /// Internal methods are keyed by what they are about: the order, the refund.
    #[test]
    fn every_write_of_orders_and_the_catalog_takes_a_request_id() {
        for service in ["order", "catalog"].map(|area| format!("kontor.{area}.v1")) {
            let services = crate::contract().services().filter(|s| s.parent_file().package_name() == service);
            let methods = services.flat_map(|service| service.methods().collect::<Vec<_>>());
            let writes = methods.filter(|method| {
                let reads = ["Get", "List", "BatchGet", "Search", "Watch"].map(|verb| method.name().starts_with(verb));
                !reads.contains(&true) && rule_of(method) != Some(Rule::Internal)
            });
            let writes: Vec<_> = writes.collect();
            assert!(!writes.is_empty());
            for method in writes {
                assert!(method.input().get_field_by_name("request_id").is_some(), "{}", method.full_name());
            }
        }
    }

    #[test]
    fn a_method_without_a_rule_is_refused() {
        let mut set = <prost_types::FileDescriptorSet as prost::Message>::decode(kontor_proto::DESCRIPTOR_SET).unwrap();
        for method in set.file.iter_mut().flat_map(|f| &mut f.service).flat_map(|s| &mut s.method) {
            method.options = None;
        }
        let pool = prost_reflect::DescriptorPool::from_file_descriptor_set(set).unwrap();
        let refused = Rules::default().add(&pool, "kontor.auth.v1.TokenService");
        assert_eq!(refused, Err(AccessError::NoRule("kontor.auth.v1.TokenService.GetJwks".into())));
    }

    #[test]
    fn callers_are_admitted_by_what_they_are() {
        let user = |permissions: &[&str]| {
            let id = kontor_types::ids::UserId::generate();
            Caller::new(Subject::User(id), permissions.iter().map(ToString::to_string))
        };
        let service = |permission: &str| Caller::new(Subject::Service("order".into()), [permission.to_owned()]);
        let edit = Rule::Permission("catalog.edit".into());
        let code = |rule: &Rule, caller: &Caller| rule.admit(caller).map_err(|status| status.code());

        assert_eq!(code(&Rule::Public(None), &Caller::default()), Ok(()));
        assert_eq!(code(&Rule::SignedIn(None), &Caller::default()), Err(Code::Unauthenticated));
        assert_eq!(code(&Rule::SignedIn(None), &user(&[])), Ok(()));
        assert_eq!(code(&edit, &Caller::default()), Err(Code::Unauthenticated));
        assert_eq!(code(&edit, &user(&["order.read"])), Err(Code::PermissionDenied));
        assert_eq!(code(&edit, &user(&["catalog.edit"])), Ok(()));
        assert_eq!(code(&edit, &service(INTERNAL)), Err(Code::PermissionDenied));
        assert_eq!(code(&edit, &service("catalog.edit")), Ok(()));
        assert_eq!(code(&Rule::Internal, &user(&["catalog.edit"])), Err(Code::PermissionDenied));
        assert_eq!(code(&Rule::Internal, &user(&[INTERNAL])), Err(Code::PermissionDenied));
        assert_eq!(code(&Rule::Internal, &service("catalog.edit")), Err(Code::PermissionDenied));
        assert_eq!(code(&Rule::Internal, &Caller::default()), Err(Code::Unauthenticated));
        assert_eq!(code(&Rule::Internal, &service(INTERNAL)), Ok(()));
    }
}
