//! `Debug` for messages that hold secrets: fields marked `debug_redact` in the contract print as "[redacted]".

use std::fmt::Write;

use prost_reflect::{DescriptorPool, FieldDescriptor, MessageDescriptor, Value};

use crate::rules::{field_ident, rust_path};

/// The full names of the messages with a field marked `debug_redact`.
pub(crate) fn messages(pool: &DescriptorPool) -> Vec<String> {
    secret_holders(pool).map(|message| format!(".{}", message.full_name())).collect()
}

/// One `impl Debug` for each of them.
pub(crate) fn generate(pool: &DescriptorPool) -> String {
    secret_holders(pool).map(|message| debug_impl(&message)).collect()
}

fn secret_holders(pool: &DescriptorPool) -> impl Iterator<Item = MessageDescriptor> + '_ {
    pool.all_messages().filter(|message| message.fields().any(|field| is_secret(&field)))
}

fn is_secret(field: &FieldDescriptor) -> bool {
    let options = field.options();
    options.get_field_by_name("debug_redact").is_some_and(|value| *value == Value::Bool(true))
}

fn debug_impl(message: &MessageDescriptor) -> String {
    let mut fields = String::new();
    for field in message.fields() {
        let ident = field_ident(&field);
        let value = if is_secret(&field) { "&\"[redacted]\"".into() } else { format!("&self.{ident}") };
        let _ = write!(fields, ".field({:?}, {value})", field.name());
    }
    format!(
        "impl ::core::fmt::Debug for {} {{ fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {{ \
         f.debug_struct({:?}){fields}.finish() }} }}\n",
        rust_path(message),
        message.name(),
    )
}
