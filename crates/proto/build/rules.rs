//! Turns the rules that stand in the contract (`buf.validate.field`, `google.api.field_behavior`) into code:
//! one `impl Checked` for each message. A rule that this file does not know fails the build, so that no rule
//! in the contract is ever only a comment.

use std::fmt::Write;

use heck::ToSnakeCase;
use prost_reflect::{
    Cardinality, DescriptorPool, DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor,
    ReflectMessage, Value,
};

/// `google.api.FieldBehavior.OUTPUT_ONLY`.
const OUTPUT_ONLY: i32 = 3;
/// `buf.validate.Ignore.IGNORE_IF_ZERO_VALUE`.
const IGNORE_IF_ZERO_VALUE: i32 = 1;

/// The rules of all top-level messages of our packages, as Rust source.
pub(crate) fn generate(pool: &DescriptorPool) -> Result<String, String> {
    let requests: Vec<String> = pool
        .services()
        .flat_map(|s| s.methods().map(|m| m.input().full_name().to_owned()).collect::<Vec<_>>())
        .collect();
    if let Some(nested) =
        pool.all_messages().find(|m| m.parent_message().is_some() && m.fields().any(|f| has_rules(&f)))
    {
        return Err(format!("{}: rules of nested messages are not known here", nested.full_name()));
    }
    let mut code = String::new();
    for message in pool.all_messages().filter(is_ours) {
        let body = checks(&message)?;
        let is_request = requests.iter().any(|name| name == message.full_name());
        let has_mask = message.get_field_by_name("update_mask").is_some();
        let masked = if has_mask { "self.update_mask.is_some()" } else { "false" };
        let _ = writeln!(
            code,
            "impl crate::rules::Checked for {} {{ const IS_REQUEST: bool = {is_request}; \
             fn is_masked(&self) -> bool {{ {masked} }} fn check(&self, found: &mut crate::rules::Found) {{ let _ = &found; {body} }} }}",
            rust_path(&message),
        );
    }
    Ok(code)
}

fn is_ours(message: &MessageDescriptor) -> bool {
    message.package_name().starts_with("kontor.") && message.parent_message().is_none()
}

fn checks(message: &MessageDescriptor) -> Result<String, String> {
    let mut code = String::new();
    for field in message.fields() {
        if field.containing_oneof().is_some_and(|oneof| !oneof.is_synthetic()) {
            refuse_rules_in_oneof(&field)?;
            continue;
        }
        let (name, ident) = (field.name(), field_ident(&field));
        if is_output_only(&field) {
            let set = is_set(&field, &format!("self.{ident}"));
            let _ = writeln!(code, "found.output_only({name:?}, {set});");
            continue;
        }
        let mut checks = text_check(&field);
        if let Some(rules) = rules_of(&field) {
            checks.push_str(&field_checks(&field, &rules).map_err(|e| format!("{}: {e}", field.full_name()))?);
        }
        if let Kind::Message(child) = field.kind()
            && is_ours(&child)
        {
            let call = if field.is_list() { "each" } else { "child" };
            let _ = writeln!(checks, "found.{call}({name:?}, &self.{ident});");
        }
        code.push_str(&if_countable(&field, &checks));
    }
    Ok(code)
}

/// The items of a list are looked at only if there are no more and no fewer of them than there may be.
fn if_countable(field: &FieldDescriptor, checks: &str) -> String {
    let rules = rules_of(field).and_then(|rules| rules.get_field_by_name("repeated")?.as_message().cloned());
    let Some(rules) = rules.filter(|_| field.is_list()) else { return checks.to_owned() };
    let limit =
        |name: &str| rules.get_field_by_name(name).filter(|_| rules.has_field_by_name(name)).and_then(|n| n.as_u64());
    let (min, max) = (limit("min_items").unwrap_or(0), limit("max_items").unwrap_or(u64::MAX));
    let (name, ident) = (field.name(), field_ident(field));
    format!("if found.count({name:?}, self.{ident}.len(), {min}, {max}) {{ {checks} }}\n")
}

/// One rule needs no mention in the contract: no text holds control characters.
fn text_check(field: &FieldDescriptor) -> String {
    let (name, value) = (field.name(), format!("self.{}", field_ident(field)));
    match field.kind() {
        Kind::String if field.is_list() => format!("found.texts({name:?}, &{value});\n"),
        Kind::String if field.supports_presence() => {
            format!("if let Some(text) = &{value} {{ found.text({name:?}, text); }}\n")
        }
        Kind::String => format!("found.text({name:?}, &{value});\n"),
        _ => String::new(),
    }
}

/// prost folds a oneof into one Rust enum; nothing in the contract needs rules there yet.
fn refuse_rules_in_oneof(field: &FieldDescriptor) -> Result<(), String> {
    match rules_of(field) {
        Some(_) => Err(format!("{}: rules inside a oneof are not known here", field.full_name())),
        None => Ok(()),
    }
}

fn has_rules(field: &FieldDescriptor) -> bool {
    rules_of(field).is_some() || is_output_only(field)
}

fn rules_of(field: &FieldDescriptor) -> Option<DynamicMessage> {
    let extension = field.parent_pool().get_extension_by_name("buf.validate.field")?;
    let options = field.options();
    options.has_extension(&extension).then(|| options.get_extension(&extension).as_message().cloned()).flatten()
}

fn is_output_only(field: &FieldDescriptor) -> bool {
    let Some(extension) = field.parent_pool().get_extension_by_name("google.api.field_behavior") else { return false };
    let options = field.options();
    options.get_extension(&extension).as_list().is_some_and(|list| list.contains(&Value::EnumNumber(OUTPUT_ONLY)))
}

fn field_checks(field: &FieldDescriptor, rules: &DynamicMessage) -> Result<String, String> {
    let (name, ident) = (field.name(), field_ident(field));
    let value = format!("self.{ident}");
    let set = is_set(field, &value);
    let mut code = String::new();
    let mut ignore_zero = false;
    let mut typed = String::new();
    for (rule, setting) in rules.fields() {
        match (rule.name(), setting) {
            ("required", Value::Bool(true)) => {
                let _ = writeln!(code, "found.required({name:?}, {set});");
            }
            ("ignore", Value::EnumNumber(n)) if *n == IGNORE_IF_ZERO_VALUE => ignore_zero = true,
            ("repeated", Value::Message(repeated)) => typed = list_check(field, &value, repeated)?,
            (_, Value::Message(rule)) => {
                let scalar = scalar_check(field, rule)?;
                typed = format!(
                    "found.scalar({name:?}, {}, &{scalar});\n",
                    borrowed(field, &value, rule.descriptor().name())
                );
            }
            (other, _) => return Err(format!("the rule {other} is not known here")),
        }
    }
    let presence = field.supports_presence() && !matches!(field.kind(), Kind::Message(_));
    let zero_is_free = ignore_zero || presence || code.contains("required");
    match (typed.is_empty(), zero_is_free) {
        (true, _) => {}
        // An unset field that is required is told so once, not by its other rules again.
        (false, true) => drop(writeln!(code, "if {set} {{ {typed} }}")),
        (false, false) => code.push_str(&typed),
    }
    Ok(code)
}

/// How the check gets the value: strings by reference, numbers by copy, optional ones unwrapped.
fn borrowed(field: &FieldDescriptor, value: &str, rules: &str) -> String {
    let by_reference = matches!(rules, "StringRules" | "BytesRules");
    match (field.supports_presence(), by_reference) {
        (true, true) => format!("{value}.as_deref().unwrap_or_default()"),
        (true, false) => format!("{value}.unwrap_or_default()"),
        (false, true) => format!("&{value}[..]"),
        (false, false) => value.to_owned(),
    }
}

fn list_check(field: &FieldDescriptor, value: &str, rules: &DynamicMessage) -> Result<String, String> {
    let mut items = String::new();
    for (rule, setting) in rules.fields() {
        match (rule.name(), setting) {
            // See `if_countable`.
            ("min_items" | "max_items", Value::U64(_)) => {}
            ("items", Value::Message(item)) => items = item_check(field, value, item)?,
            (other, _) => return Err(format!("the rule repeated.{other} is not known here")),
        }
    }
    Ok(items)
}

fn item_check(field: &FieldDescriptor, value: &str, rules: &DynamicMessage) -> Result<String, String> {
    let [(_, Value::Message(rule))] = rules.fields().collect::<Vec<_>>()[..] else {
        return Err("items take the rules of one type".into());
    };
    let (name, scalar) = (field.name(), scalar_check(field, rule)?);
    let item = if rule.descriptor().name() == "StringRules" { "&item[..]" } else { "*item" };
    Ok(format!("for (i, item) in {value}.iter().enumerate() {{ found.item({name:?}, i, {item}, &{scalar}); }}\n"))
}

/// The Rust value of a rule message: the structs of `crate::rules` have the fields of `buf.validate`.
fn scalar_check(field: &FieldDescriptor, rules: &DynamicMessage) -> Result<String, String> {
    let kind = rules.descriptor().name().to_owned();
    let mut fields = String::new();
    for (rule, setting) in rules.fields() {
        let value = match (rule.name(), setting) {
            ("pattern", Value::String(text)) => {
                format!("Some({{ static P: crate::rules::Pattern = crate::rules::Pattern::new({text:?}); &P }})")
            }
            ("min_len" | "max_len", Value::U64(n)) => format!("Some({n})"),
            ("gte" | "lte", Value::I32(n)) => format!("Some({n})"),
            ("gte" | "lte", Value::I64(n)) => format!("Some({n})"),
            ("uuid", Value::Bool(true)) => "true".into(),
            ("defined_only", Value::Bool(true)) => continue,
            (other, _) => return Err(format!("the rule {kind}.{other} is not known here")),
        };
        let _ = write!(fields, "{}: {value}, ", rule.name());
    }
    if let Kind::Enum(values) = field.kind() {
        return Ok(format!("crate::rules::EnumRules {{ known: |n| {}::is_valid(n) }}", enum_path(&values)));
    }
    Ok(format!("crate::rules::{kind} {{ {fields} ..Default::default() }}"))
}

fn is_set(field: &FieldDescriptor, value: &str) -> String {
    if field.is_list() || field.is_map() {
        return format!("!{value}.is_empty()");
    }
    if field.supports_presence() || field.containing_oneof().is_some() {
        return format!("{value}.is_some()");
    }
    match (field.kind(), field.cardinality()) {
        (Kind::String | Kind::Bytes, Cardinality::Optional) => format!("!{value}.is_empty()"),
        (Kind::Bool, Cardinality::Optional) => value.to_owned(),
        _ => format!("{value} != 0"),
    }
}

/// `crate::kontor::auth::v1::SignUpRequest`, as prost names it.
pub(crate) fn rust_path(message: &MessageDescriptor) -> String {
    format!("crate::{}::{}", message.package_name().replace('.', "::"), message.name())
}

fn enum_path(values: &EnumDescriptor) -> String {
    let package = values.package_name().replace('.', "::");
    match values.parent_message() {
        Some(message) => format!("crate::{package}::{}::{}", message.name().to_snake_case(), values.name()),
        None => format!("crate::{package}::{}", values.name()),
    }
}

/// The field's name in Rust, as prost names it.
pub(crate) fn field_ident(field: &FieldDescriptor) -> String {
    match field.name() {
        name @ ("type" | "use" | "ref" | "match" | "move" | "in") => format!("r#{name}"),
        name => name.to_owned(),
    }
}
