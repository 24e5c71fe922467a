//! A policy file as it arrives: piece by piece, after a look at the role of who sends it, within a size and a time.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Request, Status, Streaming};

use super::convert::policy::{Violation, candidate};
use super::management::{Management, open};
use super::status::status;
use crate::broker::manage::{Candidate, SendPolicyFile};
use crate::broker::{Call, Operator};
use crate::pb;

/// The largest policy file.
const LARGEST: usize = 64 * 1024 * 1024;

/// How long a file may take to arrive.
const WITHIN: Duration = Duration::from_mins(1);

/// A message that carries a piece of a policy file.
pub(super) trait Piece: Clone + Send + 'static {
    /// How to read the file.
    fn options(&self) -> Option<pb::PolicyFileOptions>;
    /// The piece.
    fn chunk(&self) -> &[u8];
}

/// A policy file, and who sent it.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) call: Call,
    pub(super) operator: Operator,
    pub(super) candidate: Candidate,
    /// Its place among the files that are worked on.
    _place: Option<OwnedSemaphorePermit>,
}

/// Reads a policy file, and gives back the first message as well. Nothing of it is read of somebody without the role.
pub(super) async fn receive<M: Piece>(
    management: &Management,
    places: &Arc<Semaphore>,
    request: Request<Streaming<M>>,
    right: SendPolicyFile,
) -> Result<(Sent, M), Status> {
    let (call, operator, messages) = open(request);
    let admitted = management.broker().admit_operator(call.clone(), operator, right).await;
    let operator = admitted.map_err(|refusal| status(&refusal))?;
    // INVARIANT: the semaphore is never closed
    let place = Arc::clone(places).acquire_owned().await.ok();
    let late =
        |_| Violation::new("chunk", format!("the file took longer than {WITHIN:?} to arrive"));
    let gathered = tokio::time::timeout(WITHIN, gather(messages)).await.map_err(late).flatten();
    let parsed = gathered.and_then(|(first, file)| Ok((candidate(first.options(), file)?, first)));
    let parsed = parsed.map_err(Violation::into_list);
    let (candidate, first) = management.well_formed(&call, parsed).await?;
    Ok((Sent { call, operator, candidate, _place: place }, first))
}

async fn gather<M: Piece>(mut messages: Streaming<M>) -> Result<(M, Vec<u8>), Violation> {
    let mut file = Vec::new();
    let mut first = None;
    loop {
        match messages.message().await {
            Ok(Some(message)) => {
                if file.len() + message.chunk().len() > LARGEST {
                    let problem = format!("the file is larger than {LARGEST} bytes");
                    return Err(Violation::new("chunk", problem));
                }
                file.extend_from_slice(message.chunk());
                first.get_or_insert(message);
            }
            Ok(None) => break,
            Err(_) => {
                let problem = "a message broke off, does not decode, or is larger than 64 KiB";
                return Err(Violation::new("request", problem));
            }
        }
    }
    let missing = "send at least one message: the options, and the file in pieces";
    let first = first.ok_or_else(|| Violation::new("request", missing))?;
    Ok((first, file))
}

impl Piece for pb::PlanPolicyRequest {
    fn options(&self) -> Option<pb::PolicyFileOptions> {
        self.options
    }

    fn chunk(&self) -> &[u8] {
        &self.chunk
    }
}

impl Piece for pb::ApplyPolicyRequest {
    fn options(&self) -> Option<pb::PolicyFileOptions> {
        self.options
    }

    fn chunk(&self) -> &[u8] {
        &self.chunk
    }
}

impl Piece for pb::ReplayPolicyRequest {
    fn options(&self) -> Option<pb::PolicyFileOptions> {
        self.options
    }

    fn chunk(&self) -> &[u8] {
        &self.chunk
    }
}
