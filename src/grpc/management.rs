//! What the services of management share: who asks, whether the message is well formed, and the way to the broker and back.

use std::sync::Arc;

use tonic::codegen::http::{Extensions, HeaderMap};
use tonic::{Request, Status};

use super::call::call;
use super::presented::{LastBearer, presented};
use super::status::status;
use crate::broker::manage::{Edit, Read};
use crate::broker::{Broker, Call, FieldViolation, LocalUser, Operator, Peer};

/// The way of operators to the broker.
#[derive(Clone, Debug)]
pub(super) struct Management {
    broker: Arc<Broker>,
}

impl Management {
    pub(super) const fn new(broker: Arc<Broker>) -> Self {
        Self { broker }
    }

    /// The broker.
    pub(super) const fn broker(&self) -> &Arc<Broker> {
        &self.broker
    }

    /// Makes the change that `parse` finds in the message.
    pub(super) async fn change<M, E: Edit>(
        &self,
        request: Request<M>,
        parse: impl FnOnce(M) -> Result<E, Vec<FieldViolation>>,
    ) -> Result<E::Output, Status> {
        let (call, operator, message) = open(request);
        let edit = self.well_formed(&call, parse(message)).await?;
        let changed = self.broker.change(call, operator, edit).await;
        changed.map_err(|refusal| status(&refusal))
    }

    /// Reads what `parse` finds in the message.
    pub(super) async fn read<M, R: Read>(
        &self,
        request: Request<M>,
        parse: impl FnOnce(M) -> Result<R, Vec<FieldViolation>>,
    ) -> Result<R::Output, Status> {
        let (call, operator, message) = open(request);
        let read = self.well_formed(&call, parse(message)).await?;
        let answer = self.broker.read(call, operator, read).await;
        answer.map_err(|refusal| status(&refusal))
    }

    /// The well-formed request, or the recorded refusal of a malformed one.
    pub(super) async fn well_formed<T>(
        &self,
        call: &Call,
        parsed: Result<T, Vec<FieldViolation>>,
    ) -> Result<T, Status> {
        match parsed {
            Ok(request) => Ok(request),
            Err(violations) => {
                let refusal = self.broker.refuse_malformed(call.clone(), violations).await;
                Err(status(&refusal))
            }
        }
    }
}

/// Takes a request apart: what is known of the call, who asks, and the message.
pub(super) fn open<T>(request: Request<T>) -> (Call, Operator, T) {
    let (metadata, extensions, message) = request.into_parts();
    let operator = operator(metadata.as_ref(), &extensions);
    let peer = extensions.get().copied().unwrap_or(Peer::Unknown);
    (call(metadata.as_ref(), peer), operator, message)
}

/// Who asks: the user at the other end of a Unix socket, which only such a connection can tell; else what the metadata presents.
pub(super) fn operator(headers: &HeaderMap, extensions: &Extensions) -> Operator {
    match extensions.get::<LocalUser>() {
        Some(user) => Operator::Local(user.clone()),
        None => Operator::Presented(presented(headers, &LastBearer::default())),
    }
}
