//! The table of routes, from the descriptors alone: a new RPC needs no change here.

use std::sync::Arc;

use prost_reflect::{DescriptorPool, DynamicMessage, ExtensionDescriptor, MethodDescriptor};

use crate::error::Error;
use crate::route::{Binding, Route};
use crate::tree::Tree;
use crate::upstreams::Upstreams;

pub(crate) type Routes = Tree<Arc<Route>>;

/// The routes of all methods that have some and are not internal.
pub(crate) fn routes(pool: &DescriptorPool, upstreams: &Upstreams) -> Result<Routes, Error> {
    let mut routes = Tree::new();
    for service in pool.services() {
        for method in service.methods() {
            for binding in public_bindings(pool, &method)? {
                add(&mut routes, &method, &binding, upstreams)?;
            }
        }
    }
    Ok(routes)
}

fn add(routes: &mut Routes, method: &MethodDescriptor, binding: &Binding, upstreams: &Upstreams) -> Result<(), Error> {
    let name = || method.full_name().to_owned();
    let package = method.parent_file().package_name().to_owned();
    let missing = || Error::NoUpstream { method: name(), package: package.clone() };
    let channel = upstreams.get(&package).ok_or_else(missing)?;
    let invalid = |reason: String| Error::Route { method: name(), route: binding.path.clone(), reason };
    let Some(route) = Route::new(method, binding, channel.clone()).map_err(invalid)? else { return Ok(()) };
    let route = Arc::new(route);
    let taken = routes.insert(&route.template, binding.method.clone(), Arc::clone(&route));
    taken.map_err(|first| Error::Collision { first: first.method.clone(), second: name(), route: binding.path.clone() })
}

/// The bindings of `google.api.http`, unless other services alone may call the method.
fn public_bindings(pool: &DescriptorPool, method: &MethodDescriptor) -> Result<Vec<Binding>, Error> {
    let Some(http) = option(pool, method, "google.api.http") else { return Ok(Vec::new()) };
    let Some(rule) = option(pool, method, "kontor.access.v1.rule") else {
        return Err(Error::NoRule { method: method.full_name().to_owned() });
    };
    if rule.has_field_by_name("internal") {
        return Ok(Vec::new());
    }
    let more = http.get_field_by_name("additional_bindings");
    let more = more.as_deref().and_then(prost_reflect::Value::as_list).unwrap_or_default();
    let all = [&http].into_iter().chain(more.iter().filter_map(prost_reflect::Value::as_message));
    let unknown = || Error::Route {
        method: method.full_name().to_owned(),
        route: String::new(),
        reason: "has no method that the edge knows".into(),
    };
    all.map(|rule| Binding::read(rule).ok_or_else(unknown)).collect()
}

fn option(pool: &DescriptorPool, method: &MethodDescriptor, name: &str) -> Option<DynamicMessage> {
    let extension: ExtensionDescriptor = pool.get_extension_by_name(name)?;
    let options = method.options();
    options.has_extension(&extension).then(|| options.get_extension(&extension).as_message().cloned()).flatten()
}
