//! What is sent with each call, encoded once.

use anyhow::{Context, anyhow};
use bytes::{BufMut, BytesMut};
use httlib_hpack::Encoder;

use super::super::job::{Expected, Hpack, Job, Protocol};
use super::frame;

/// All that is sent, and what is hoped for.
pub(super) struct Prepared {
    blocks: Vec<Block>,
    /// The message, framed as gRPC wants it.
    pub(super) message: Vec<u8>,
    pub(super) expected: Expected,
}

/// The header block of a caller: on a connection of its own.
struct Block {
    /// With its first call.
    first: Vec<u8>,
    /// With all that follow: what HPACK keeps (RFC 7541, section 2.3.2) is only named by then.
    later: Vec<u8>,
}

impl Prepared {
    pub(super) fn new(job: &Job) -> anyhow::Result<Self> {
        let Protocol::Grpc { path, message, expected, hpack } = &job.protocol else {
            anyhow::bail!("not gRPC");
        };
        let scheme = if job.certificate.is_some() { "https" } else { "http" };
        let authority = format!("localhost:{}", job.target.port());
        let block = |authorization: Option<&str>| {
            let fields = [
                (":method", "POST", Hpack::Kept),
                (":scheme", scheme, Hpack::Kept),
                (":authority", &authority, Hpack::Kept),
                // what keeps no `authorization` keeps no path either
                (":path", path, *hpack),
                ("te", "trailers", Hpack::Kept),
                ("content-type", "application/grpc", Hpack::Kept),
            ];
            let authorization = authorization.map(|value| ("authorization", value, *hpack));
            let mut encoder = Encoder::default();
            let mut encode = || -> anyhow::Result<Vec<u8>> {
                let mut block = Vec::new();
                for field in fields.into_iter().chain(authorization) {
                    put(&mut encoder, field, &mut block)?;
                }
                anyhow::ensure!(block.len() <= frame::LONGEST, "{} bytes of headers", block.len());
                Ok(block)
            };
            Ok(Block { first: encode()?, later: encode()? })
        };
        let blocks = match job.authorizations.as_slice() {
            [] => vec![block(None)?],
            some => some.iter().map(|value| block(Some(value))).collect::<anyhow::Result<_>>()?,
        };
        Ok(Self { blocks, message: framed(message)?, expected: expected.clone() })
    }

    /// The header block of a caller.
    pub(super) fn block(&self, caller: usize, is_first: bool) -> anyhow::Result<&[u8]> {
        let block = caller.checked_rem(self.blocks.len()).and_then(|turn| self.blocks.get(turn));
        let Block { first, later } = block.context("there are no callers")?;
        Ok(if is_first { first } else { later })
    }
}

fn put(
    encoder: &mut Encoder<'_>,
    (name, value, hpack): (&str, &str, Hpack),
    block: &mut Vec<u8>,
) -> anyhow::Result<()> {
    let flags = match hpack {
        Hpack::Kept => Encoder::WITH_INDEXING | Encoder::HUFFMAN_VALUE,
        Hpack::Huffman => Encoder::HUFFMAN_VALUE,
        Hpack::Plain => 0,
    };
    let field = (name.as_bytes().to_vec(), value.as_bytes().to_vec(), flags | Encoder::BEST_FORMAT);
    encoder.encode(field, block).map_err(|error| anyhow!("`{name}` cannot be sent: {error}"))
}

fn framed(message: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut framed = BytesMut::with_capacity(message.len() + 5);
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len())?);
    framed.put_slice(message);
    Ok(framed.to_vec())
}
