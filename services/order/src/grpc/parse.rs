//! From messages of the contract to the types of this service.

use kontor_proto::google::r#type::PostalAddress;
use kontor_runtime::Fault;
use kontor_types::ids::OrderId;
use tonic::Status;

use crate::domain::cart::{Address, CartId};

/// Longest text in an address, in bytes, and most lines.
const ADDRESS_TEXT_MAX: usize = 500;
const ADDRESS_LINES_MAX: usize = 10;

pub(super) fn cart(name: &str) -> Result<CartId, Status> {
    CartId::from_name(name).ok_or_else(|| Fault::not_found(name).into())
}

pub(super) fn order(name: &str) -> Result<OrderId, Status> {
    OrderId::from_name(name).map_err(|_| Fault::not_found(name).into())
}

/// An address: none of its parts may be too long, or hold control characters.
pub(super) fn address(path: &str, address: PostalAddress) -> Result<Address, Status> {
    let PostalAddress { region_code, postal_code, administrative_area, locality, .. } = &address;
    let single = [region_code, postal_code, administrative_area, locality, &address.organization];
    let lists = [&address.address_lines, &address.recipients];
    if single.into_iter().chain(lists.into_iter().flatten()).any(|text| !is_line(text)) {
        let rule = format!("parts have at most {ADDRESS_TEXT_MAX} bytes and no control characters");
        return Err(Fault::field(path, rule).into());
    }
    if lists.into_iter().any(|list| list.len() > ADDRESS_LINES_MAX) {
        return Err(Fault::field(path, format!("has at most {ADDRESS_LINES_MAX} lines and recipients")).into());
    }
    let PostalAddress { region_code, postal_code, administrative_area, locality, address_lines, .. } = address;
    let (recipients, organization) = (address.recipients, address.organization);
    Ok(Address { region_code, postal_code, administrative_area, locality, address_lines, recipients, organization })
}

fn is_line(text: &str) -> bool {
    text.len() <= ADDRESS_TEXT_MAX && !text.chars().any(char::is_control)
}
