//! The codec of all generated clients and servers: protobuf, and on the way in the contract's rules. A handler
//! never sees a request that breaks them, and can't forget to check.

use std::marker::PhantomData;

use prost::Message;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder};
use tonic::{Code, Status};
use tonic_prost::ProstEncoder;
use tonic_types::{ErrorDetails, FieldViolation};

use crate::kontor::error::v1::ErrorReason;
use crate::rules::{Checked, violations};
use crate::status::status;

/// The domain of every `google.rpc.ErrorInfo` that Kontor sends (AIP-193).
pub const ERROR_DOMAIN: &str = "kontor";

/// Protobuf, with the contract's rules checked on requests as they are decoded.
#[derive(Clone, Debug)]
pub struct CheckedCodec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for CheckedCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for CheckedCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Checked + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = CheckedDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::new(BufferSettings::default())
    }

    fn decoder(&mut self) -> Self::Decoder {
        CheckedDecoder(PhantomData)
    }
}

/// The decoding half of [`CheckedCodec`].
#[derive(Clone, Debug)]
pub struct CheckedDecoder<U>(PhantomData<U>);

impl<U: Message + Checked + Default> Decoder for CheckedDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        let message = U::decode(buffer).map_err(|_| malformed())?;
        if U::IS_REQUEST {
            check(&message)?;
        }
        Ok(Some(message))
    }
}

/// INVALID_ARGUMENT with its violations, if the request breaks rules of the contract.
pub fn check<M: Checked>(message: &M) -> Result<(), Status> {
    let violations = violations(message);
    let Some(first) = violations.first() else { return Ok(()) };
    let text = format!("{}: {}", first.field, first.description);
    let fields = violations.into_iter().map(|v| FieldViolation::new(v.field, v.description)).collect::<Vec<_>>();
    let mut details = reason(ErrorReason::FieldViolation);
    details.set_bad_request(fields);
    Err(status(Code::InvalidArgument, &text, details))
}

fn malformed() -> Status {
    let text = "the bytes are no message of the method's request type";
    status(Code::InvalidArgument, text, reason(ErrorReason::MalformedRequest))
}

fn reason(reason: ErrorReason) -> ErrorDetails {
    ErrorDetails::with_error_info(reason.as_str_name(), ERROR_DOMAIN, [])
}
