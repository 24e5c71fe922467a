//! One connection: asks on as many streams as there are lanes, and reads what comes back.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use bytes::BytesMut;
use httlib_hpack::Decoder;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::super::Shared;
use super::super::counts::Answer;
use super::super::job::Expected;
use super::frame::{self, Frame, put};
use super::prepared::Prepared;

/// How much the server may send before it hears of it.
const WINDOW: u32 = 1 << 30;
/// Whoever waits for its next turn looks this often whether all is over.
const LOOK: Duration = Duration::from_millis(50);

type Fields = Vec<(Vec<u8>, Vec<u8>, u8)>;

pub(super) struct Connection<IO> {
    io: IO,
    number: usize,
    prepared: Arc<Prepared>,
    shared: Arc<Shared>,
    received: BytesMut,
    to_send: BytesMut,
    hpack: Decoder<'static>,
    next_stream: u32,
    /// Since when each stream is waited for.
    asked: HashMap<u32, Instant>,
    /// Lanes that may ask, and since when.
    ready: VecDeque<Instant>,
    /// Lanes that were told to wait, and until when.
    paused: BinaryHeap<Reverse<Instant>>,
    may: May,
    /// Bytes of data that the server was not yet told of.
    unacknowledged: u32,
}

/// What the server allows.
#[derive(Debug)]
struct May {
    streams: usize,
    /// Bytes of data.
    window: usize,
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Connection<IO> {
    pub(super) fn new(io: IO, number: usize, prepared: Arc<Prepared>, shared: Arc<Shared>) -> Self {
        let ready = vec![Instant::now(); shared.job.lanes.streams].into();
        Self {
            io,
            number,
            prepared,
            shared,
            received: BytesMut::new(),
            to_send: BytesMut::new(),
            hpack: Decoder::default(),
            next_stream: 1,
            asked: HashMap::new(),
            ready,
            paused: BinaryHeap::new(),
            // none before the server has said how many
            may: May { streams: 0, window: 65_535 },
            unacknowledged: 0,
        }
    }

    /// One request after another in each lane, until all is over.
    pub(super) async fn run(mut self) -> anyhow::Result<()> {
        self.greet();
        loop {
            self.ask()?;
            if !self.to_send.is_empty() {
                self.io.write_all_buf(&mut self.to_send).await?;
                self.io.flush().await?;
            }
            if self.asked.is_empty() && self.ready.is_empty() && self.paused.is_empty() {
                return Ok(());
            }
            self.receive().await?;
            while let Some(frame) = Frame::take(&mut self.received) {
                self.take(&frame)?;
            }
        }
    }

    fn greet(&mut self) {
        self.to_send.extend_from_slice(frame::PREFACE);
        let [high, low] = frame::INITIAL_WINDOW_SIZE.to_be_bytes();
        let [a, b, c, d] = WINDOW.to_be_bytes();
        put(&mut self.to_send, frame::SETTINGS, 0, 0, &[high, low, a, b, c, d]);
        put(&mut self.to_send, frame::WINDOW_UPDATE, 0, 0, &WINDOW.to_be_bytes());
    }

    /// Asks in every lane that may.
    fn ask(&mut self) -> anyhow::Result<()> {
        if self.shared.stopping() {
            self.ready.clear();
            self.paused.clear();
        }
        while self.asked.len() < self.may.streams && self.may.window >= self.prepared.message.len()
        {
            let Some(since) = self.ready.pop_front() else { break };
            let Some(caller) = self.shared.next_caller(self.number) else { continue };
            let block = self.prepared.block(caller, self.next_stream == 1)?;
            let (stream, out) = (self.next_stream, &mut self.to_send);
            put(out, frame::HEADERS, frame::END_HEADERS, stream, block);
            put(out, frame::DATA, frame::END_STREAM, stream, &self.prepared.message);
            self.may.window -= self.prepared.message.len();
            self.asked.insert(stream, since);
            self.next_stream += 2;
        }
        Ok(())
    }

    /// Reads, unless a lane's pause ends before.
    async fn receive(&mut self) -> anyhow::Result<()> {
        self.received.reserve(64 * 1024);
        let Some(Reverse(next)) = self.paused.peek() else {
            return read(&mut self.io, &mut self.received).await;
        };
        let until = (*next).min(Instant::now() + LOOK);
        tokio::select! {
            read = read(&mut self.io, &mut self.received) => read?,
            () = tokio::time::sleep_until(until.into()) => {}
        }
        let now = Instant::now();
        while self.paused.peek().is_some_and(|Reverse(until)| *until <= now) {
            self.paused.pop();
            self.ready.push_back(now);
        }
        Ok(())
    }

    fn take(&mut self, frame: &Frame) -> anyhow::Result<()> {
        match frame.kind {
            frame::HEADERS => self.headers(frame)?,
            frame::DATA => self.data(frame)?,
            frame::SETTINGS if !frame.is(frame::ACK) => self.settings(frame)?,
            frame::PING if !frame.is(frame::ACK) => {
                put(&mut self.to_send, frame::PING, frame::ACK, 0, &frame.payload);
            }
            frame::WINDOW_UPDATE if frame.stream == 0 => {
                self.may.window += usize::try_from(frame.number().context("no window")?)?;
            }
            frame::RST_STREAM | frame::GOAWAY | frame::CONTINUATION => {
                anyhow::bail!("the server ended it: {frame:?}");
            }
            _ => {}
        }
        Ok(())
    }

    fn settings(&mut self, frame: &Frame) -> anyhow::Result<()> {
        self.may.streams = usize::MAX;
        for (name, value) in frame.settings() {
            if name == frame::MAX_CONCURRENT_STREAMS {
                self.may.streams = usize::try_from(value)?;
            }
        }
        put(&mut self.to_send, frame::SETTINGS, frame::ACK, 0, &[]);
        Ok(())
    }

    fn data(&mut self, frame: &Frame) -> anyhow::Result<()> {
        anyhow::ensure!(!frame.is(frame::END_STREAM), "a reply without trailers");
        self.unacknowledged += u32::try_from(frame.payload.len())?;
        if self.unacknowledged > WINDOW / 2 {
            let window = std::mem::take(&mut self.unacknowledged).to_be_bytes();
            put(&mut self.to_send, frame::WINDOW_UPDATE, 0, 0, &window);
        }
        Ok(())
    }

    /// The first headers of a reply, or its trailers.
    fn headers(&mut self, frame: &Frame) -> anyhow::Result<()> {
        anyhow::ensure!(frame.is(frame::END_HEADERS), "headers in several frames");
        let mut fields = Fields::new();
        self.hpack
            .decode(&mut frame.payload.to_vec(), &mut fields)
            .map_err(|error| anyhow!("headers that cannot be read: {error}"))?;
        if !frame.is(frame::END_STREAM) {
            return Ok(());
        }
        let since = self.asked.remove(&frame.stream).context("nobody asked")?;
        let answer = self.prepared.expected.judge(&fields)?;
        match answer.pause() {
            Some(pause) => self.paused.push(Reverse(Instant::now() + pause)),
            None => self.ready.push_back(Instant::now()),
        }
        self.shared.answered(since, answer);
        Ok(())
    }
}

async fn read(io: &mut (impl AsyncRead + Unpin), received: &mut BytesMut) -> anyhow::Result<()> {
    anyhow::ensure!(io.read_buf(received).await? > 0, "the connection was closed");
    Ok(())
}

impl Expected {
    /// `end` has the status: trailers, or the headers when there is nothing else.
    fn judge(&self, end: &Fields) -> anyhow::Result<Answer> {
        let status = end.iter().find(|(name, ..)| name == b"grpc-status");
        let (_, status, _) = status.context("no grpc-status")?;
        if status == self.status.as_bytes() {
            return Ok(Answer::Expected);
        }
        let refused = self.refusal.as_ref().is_some_and(|refusal| refusal.as_bytes() == status);
        let wrong = || format!("grpc-status {}", String::from_utf8_lossy(status));
        match tonic::Status::from_header_map(&header_map(end)?).filter(|_| refused) {
            Some(status) => Ok(Answer::Refused(status)),
            None => Ok(Answer::Wrong(wrong())),
        }
    }
}

fn header_map(fields: &Fields) -> anyhow::Result<HeaderMap> {
    let fields = fields.iter().filter(|(name, ..)| !name.starts_with(b":"));
    fields
        .map(|(name, value, _)| {
            Ok((HeaderName::from_bytes(name)?, HeaderValue::from_bytes(value)?))
        })
        .collect()
}
