//! What the catalog's errors are on the wire: the one place where they get a code.

use kontor_runtime::Fault;
use kontor_runtime::fault::{self, ErrorReason};
use tonic::{Code, Status};

use crate::ops::Error;

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::NotFound(name) => Fault::not_found(&name).into(),
            Error::NoReservation(_) => Fault::new(Code::NotFound, ErrorReason::ResourceNotFound, text).into(),
            Error::TooFewUnits { variant, sku, available } => {
                let message = format!("{available} of {} can be taken", sku.as_deref().unwrap_or("the variant"));
                let fault = Fault::precondition(ErrorReason::InsufficientStock, &message);
                let fault = fault.failure(&variant.to_string(), message).metadata("available", available.to_string());
                fault.metadata("variant", variant.to_string()).metadata("sku", sku.unwrap_or_default()).into()
            }
            Error::TooManyUnits => Fault::field("delta", text).into(),
            Error::ReservationEnded(_) => Fault::precondition(ErrorReason::ReservationEnded, text).into(),
            Error::ReservationExpired => Fault::precondition(ErrorReason::ReservationExpired, text).into(),
            Error::RestockTooLarge { variant, returnable } => {
                let fault = Fault::precondition(ErrorReason::RestockTooLarge, &text);
                let fault = fault.failure(&variant.to_string(), text).metadata("variant", variant.to_string());
                fault.metadata("returnable", returnable.to_string()).into()
            }
            Error::FileMalformed(_) => {
                let fault = Fault::new(Code::InvalidArgument, ErrorReason::FileMalformed, &text);
                fault.violation("file", text).into()
            }
            Error::CallerRefused => kontor_runtime::token::revoked(),
            Error::Stopping => Fault::unavailable(text).into(),
            Error::Store(error) => fault::store(&error),
        }
    }
}
