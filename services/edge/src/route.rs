//! One route: what a method's `google.api.http` says, checked and resolved once, at the start.

use http::Method;
use http::uri::PathAndQuery;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};
use tonic::transport::Channel;

use crate::fields::FieldPath;
use crate::http_body::HTTP_BODY;
use crate::template::{Template, Variable};
use crate::upstreams::short_name;

/// An HTTP method and path, and the gRPC method behind them.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) method: String,
    pub(crate) service: String,
    pub(crate) channel: Channel,
    pub(crate) grpc_path: PathAndQuery,
    /// The path template, as the contract writes it.
    pub(crate) path: String,
    pub(crate) template: Template,
    pub(crate) variables: Vec<(Variable, FieldPath)>,
    pub(crate) body: Body,
    /// Whether the body is sent on in pieces.
    pub(crate) is_upload: bool,
    /// The field that `Idempotency-Key` fills.
    pub(crate) request_id: Option<FieldPath>,
    pub(crate) input: MessageDescriptor,
    pub(crate) output: MessageDescriptor,
    /// The field of the answer that is sent; all of it if `None`.
    pub(crate) response_body: Option<FieldDescriptor>,
}

impl Route {
    /// How paths to fields of the body begin inside the request: "cart.", if the body is the request's field `cart`.
    pub(crate) fn body_prefix(&self) -> Option<String> {
        match &self.body {
            Body::Field(field) => Some(format!("{}.", field.json_name())),
            Body::None | Body::All | Body::Raw(_) => None,
        }
    }
}

/// What the body of a request is.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    None,
    /// All fields that the path does not fill, as JSON.
    All,
    /// The message in this field, as JSON.
    Field(FieldDescriptor),
    /// The [`HTTP_BODY`] in this field, as it comes.
    Raw(FieldDescriptor),
}

/// One binding of `google.api.http`.
#[derive(Debug)]
pub(crate) struct Binding {
    pub(crate) method: Method,
    pub(crate) path: String,
    body: String,
    response_body: String,
}

impl Binding {
    /// From a `google.api.HttpRule`; `None` if it has no method that is known here.
    pub(crate) fn read(rule: &DynamicMessage) -> Option<Self> {
        let text = |name: &str| rule.get_field_by_name(name).and_then(|value| value.as_str().map(str::to_owned));
        let methods = [Method::GET, Method::PUT, Method::POST, Method::DELETE, Method::PATCH];
        let name = |method: &Method| method.as_str().to_ascii_lowercase();
        let method = methods.into_iter().find(|method| rule.has_field_by_name(&name(method)))?;
        Some(Self {
            path: text(&name(&method))?,
            method,
            body: text("body").unwrap_or_default(),
            response_body: text("response_body").unwrap_or_default(),
        })
    }
}

impl Route {
    /// Resolves a binding. `None` if the method streams in a way that HTTP has no route for here; the error says what
    /// is wrong with the binding.
    pub(crate) fn new(method: &MethodDescriptor, binding: &Binding, channel: Channel) -> Result<Option<Self>, String> {
        let (input, output) = (method.input(), method.output());
        let body = body(&input, binding)?;
        let is_upload = method.is_client_streaming();
        if method.is_server_streaming() || is_upload && !matches!(body, Body::Raw(_)) {
            return Ok(None);
        }
        let template = Template::parse(&binding.path)?;
        let grpc_path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        Ok(Some(Self {
            method: method.full_name().to_owned(),
            service: short_name(method.parent_file().package_name()).to_owned(),
            channel,
            grpc_path: grpc_path.parse().map_err(|_| "has a method whose name is no path")?,
            path: binding.path.clone(),
            variables: variables(&input, &template)?,
            template,
            body,
            is_upload,
            request_id: request_id(&input),
            response_body: response_body(&output, &binding.response_body)?,
            input,
            output,
        }))
    }

    /// Whether the path or the body fills this field, one around it, or one inside it.
    pub(crate) fn binds(&self, field: &FieldPath) -> bool {
        let numbers = field.numbers();
        let in_body = match &self.body {
            Body::None => false,
            Body::All => true,
            Body::Field(field) | Body::Raw(field) => numbers.first() == Some(&field.number()),
        };
        let in_path = |(_, variable): &(Variable, FieldPath)| {
            let variable = variable.numbers();
            variable.starts_with(&numbers) || numbers.starts_with(&variable)
        };
        in_body || self.variables.iter().any(in_path)
    }
}

fn variables(input: &MessageDescriptor, template: &Template) -> Result<Vec<(Variable, FieldPath)>, String> {
    let resolve = |variable: &Variable| {
        let path = FieldPath::resolve(input, &variable.field).filter(|path| !path.is_list());
        let missing = || format!("names {}, which is no single field of {}", variable.field, input.full_name());
        Ok((variable.clone(), path.ok_or_else(missing)?))
    };
    template.variables.iter().map(resolve).collect()
}

fn body(input: &MessageDescriptor, binding: &Binding) -> Result<Body, String> {
    match binding.body.as_str() {
        "" => return Ok(Body::None),
        _ if matches!(binding.method, Method::GET | Method::DELETE) => {
            return Err("has a body that HTTP does not allow".into());
        }
        "*" => return Ok(Body::All),
        name => message_field(input, name),
    }
    .map(|(field, kind)| if kind == HTTP_BODY { Body::Raw(field) } else { Body::Field(field) })
}

fn response_body(output: &MessageDescriptor, name: &str) -> Result<Option<FieldDescriptor>, String> {
    if name.is_empty() { Ok(None) } else { message_field(output, name).map(|(field, _)| Some(field)) }
}

/// The field, and the name of its message type.
fn message_field(message: &MessageDescriptor, name: &str) -> Result<(FieldDescriptor, String), String> {
    let missing = || format!("names {name}, which is no message in {}", message.full_name());
    let field = message.get_field_by_name(name).filter(|field| !field.is_list() && !field.is_map());
    let field = field.ok_or_else(missing)?;
    let kind = field.kind().as_message().ok_or_else(missing)?.full_name().to_owned();
    Ok((field, kind))
}

fn request_id(input: &MessageDescriptor) -> Option<FieldPath> {
    let field = input.get_field_by_name("request_id")?;
    let is_text = matches!(field.kind(), Kind::String) && !field.is_list();
    is_text.then(|| FieldPath::resolve(input, "request_id")).flatten()
}
