//! Frames of HTTP/2 (RFC 9113, sections 4 and 6), as far as a client of unary calls needs them.

use bytes::{Buf, BufMut, Bytes, BytesMut};

pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(super) const DATA: u8 = 0x0;
pub(super) const HEADERS: u8 = 0x1;
pub(super) const RST_STREAM: u8 = 0x3;
pub(super) const SETTINGS: u8 = 0x4;
pub(super) const PING: u8 = 0x6;
pub(super) const GOAWAY: u8 = 0x7;
pub(super) const WINDOW_UPDATE: u8 = 0x8;
pub(super) const CONTINUATION: u8 = 0x9;

pub(super) const ACK: u8 = 0x1;
pub(super) const END_STREAM: u8 = 0x1;
pub(super) const END_HEADERS: u8 = 0x4;

pub(super) const MAX_CONCURRENT_STREAMS: u16 = 0x3;
pub(super) const INITIAL_WINDOW_SIZE: u16 = 0x4;

/// The longest payload that every peer takes.
pub(super) const LONGEST: usize = 16_384;
const HEAD: usize = 9;

/// One frame that was received.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: u8,
    flags: u8,
    pub(super) stream: u32,
    pub(super) payload: Bytes,
}

impl Frame {
    /// Takes the next one, where all of it is there.
    pub(super) fn take(received: &mut BytesMut) -> Option<Self> {
        let &[long, longer, length, kind, flags, stream @ ..] = received.first_chunk::<HEAD>()?;
        let length = usize::try_from(u32::from_be_bytes([0, long, longer, length])).ok()?;
        if received.len() < HEAD + length {
            return None;
        }
        received.advance(HEAD);
        let stream = u32::from_be_bytes(stream);
        Some(Self { kind, flags, stream, payload: received.split_to(length).freeze() })
    }

    pub(super) const fn is(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The number that the payload is, or begins with.
    pub(super) fn number(&self) -> Option<u32> {
        self.payload.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
    }

    /// The settings in the payload.
    pub(super) fn settings(&self) -> impl Iterator<Item = (u16, u32)> {
        self.payload.chunks_exact(6).filter_map(|mut setting| {
            Some((setting.try_get_u16().ok()?, setting.try_get_u32().ok()?))
        })
    }
}

/// Appends a frame; its payload is not longer than [`LONGEST`].
pub(super) fn put(out: &mut BytesMut, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    debug_assert!(payload.len() <= LONGEST, "a frame of {} bytes", payload.len());
    out.put_uint(payload.len() as u64, 3);
    out.put_u8(kind);
    out.put_u8(flags);
    out.put_u32(stream);
    out.put_slice(payload);
}
