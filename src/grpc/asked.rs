//! A request taken apart: what is known of the call, what is presented as identity, and the message.

use tonic::Request;
use tonic::codegen::http::HeaderMap;

use super::call::call;
use super::presented::{LastBearer, presented};
use crate::broker::{Call, Peer};
use crate::identity::Presented;

/// A request taken apart.
#[derive(Debug)]
pub(super) struct Asked<T> {
    pub(super) call: Call,
    pub(super) presented: Presented,
    pub(super) message: T,
}

impl<T> Asked<T> {
    pub(super) fn new(headers: &HeaderMap, peer: Peer, last: &LastBearer, message: T) -> Self {
        Self { call: call(headers, peer), presented: presented(headers, last), message }
    }
}

/// The peer is an extension of requests that come through tonic's routes.
impl<T> From<Request<T>> for Asked<T> {
    fn from(request: Request<T>) -> Self {
        let (metadata, extensions, message) = request.into_parts();
        let peer = extensions.get().copied().unwrap_or(Peer::Unknown);
        Self::new(metadata.as_ref(), peer, &LastBearer::default(), message)
    }
}
