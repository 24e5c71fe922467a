//! GET requests over HTTP/1.1, each lane on a connection that it keeps, and which is one caller's.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::counts::Answer;
use super::job::Protocol;
use super::{Shared, connect};

/// Opens the connections, and starts a lane on each.
pub(super) async fn open(
    shared: &Arc<Shared>,
    lanes: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let Protocol::Get { path } = &shared.job.protocol else { anyhow::bail!("not HTTP/1.1") };
    let mut authorizations = shared.job.authorizations.iter().cycle();
    for _ in 0..shared.job.lanes.in_flight() {
        let authorization = match authorizations.next() {
            Some(value) => format!("Authorization: {value}\r\n"),
            None => String::new(),
        };
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{authorization}\r\n");
        let stream = connect::tcp(&shared.job).await?;
        lanes.spawn(lane(stream, Arc::clone(shared), request));
    }
    Ok(())
}

async fn lane(mut stream: TcpStream, shared: Arc<Shared>, request: String) -> anyhow::Result<()> {
    let mut buffer = Vec::with_capacity(16 * 1024);
    while !shared.stopping() {
        let begun = Instant::now();
        stream.write_all(request.as_bytes()).await?;
        buffer.clear();
        let head = read_response(&mut stream, &mut buffer).await?;
        let fits = head.starts_with("HTTP/1.1 200");
        shared.answered(begun, if fits { Answer::Expected } else { Answer::Wrong(head) });
    }
    Ok(())
}

/// Reads one response to its end; returns its head.
async fn read_response(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<String> {
    let head = loop {
        anyhow::ensure!(stream.read_buf(buffer).await? > 0, "the connection was closed");
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break buffer.get(..end + 4).unwrap_or_default();
        }
    };
    let head = String::from_utf8(head.to_vec())?;
    let length: usize = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .context("no content-length")?
        .1
        .parse()?;
    while buffer.len() < head.len() + length {
        anyhow::ensure!(stream.read_buf(buffer).await? > 0, "the connection was closed");
    }
    Ok(head)
}
