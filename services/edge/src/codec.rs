//! gRPC messages as the bytes that they are: the edge builds and reads them by itself.
//!
//! A stream of messages can fail: then it is reset with an error. Dropping the call would not do, since tonic servers take a
//! *cancelled* request stream for one that ended well (tonic 0.14.9, `codec/decode.rs`).

use bytes::{Buf, BufMut, Bytes};
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

#[derive(Clone, Copy, Debug)]
pub(crate) struct RawCodec;

impl Codec for RawCodec {
    type Encode = Result<Bytes, Status>;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for RawCodec {
    type Item = Result<Bytes, Status>;
    type Error = Status;

    fn encode(&mut self, message: Self::Item, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(message?);
        Ok(())
    }
}

impl Decoder for RawCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
