//! What every request goes through before a service sees it.
//!
//! A request to one of our services is read whole, within a size and a time. Our unary methods are then answered on the
//! spot, without tonic's router, codec and streams, which cost more than the rest of the transport. Tonic's routes answer
//! what is not as plain as that, and what is not ours: health and reflection.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use prost::Message;
use tonic::codegen::http::request::Parts;
use tonic::codegen::http::{Request, Response};
use tonic::codegen::{Service, StdError};
use tonic::service::Routes;

use super::access_service::Access;
use super::asked::Asked;
use super::call::{call, timeout};
use super::connection::{Answers, Caller};
use super::intake::{self, FRAME_HEADER};
use super::reply::{self, Reply};
use super::status::status;
use crate::broker::{Broker, Call, FieldViolation};

/// What the paths of our services begin with.
const OURS: &str = "/dockpass.";

/// Our methods to which several messages are sent: the services read them, one after the other.
const UPLOADS: [&str; 3] = [
    "/dockpass.v1.PolicyService/PlanPolicy",
    "/dockpass.v1.PolicyService/ApplyPolicy",
    "/dockpass.v1.PolicyService/ReplayPolicy",
];

/// Answers the requests of all connections.
#[derive(Clone, Debug)]
pub(super) struct Front {
    /// None where only management is served.
    access: Option<Access>,
    broker: Arc<Broker>,
    routes: Routes,
}

impl Answers for Front {
    async fn answer(&self, request: Request<Incoming>, caller: &Caller) -> Response<Reply> {
        let path = request.uri().path();
        if !path.starts_with(OURS) || UPLOADS.contains(&path) {
            return self.routes.answer(request, caller).await;
        }
        let (parts, body) = request.into_parts();
        let message = match timeout(&parts.headers) {
            Ok(_) => intake::read(body, intake::MAX_TIME, &caller.arrivals).await,
            Err(violation) => Err(violation),
        };
        match message {
            Ok(message) => match self.plain(&parts, caller, &message).await {
                Some(response) => response,
                None => Box::pin(self.routed(parts, caller, message)).await,
            },
            Err(violation) => {
                Box::pin(self.refuse(call(&parts.headers, caller.peer), violation)).await
            }
        }
    }
}

impl Front {
    pub(super) const fn new(broker: Arc<Broker>, access: Option<Access>, routes: Routes) -> Self {
        Self { access, broker, routes }
    }

    /// Answers a unary method of ours whose message is one, not compressed, and decodes.
    async fn plain(
        &self,
        parts: &Parts,
        caller: &Caller,
        message: &[u8],
    ) -> Option<Response<Reply>> {
        if parts.headers.contains_key("grpc-encoding") {
            return None;
        }
        let access = self.access.as_ref()?;
        let method = parts.uri.path().strip_prefix(Access::PREFIX)?;
        let asked = Asked::new(&parts.headers, caller.peer, &caller.last_bearer, message);
        let bearer = asked.presented.bearer().cloned();
        let response = match method {
            "IssueAccessToken" => reply::unary(access.issue(asked.decode()?).await),
            "CheckAccess" => reply::unary(access.check(asked.decode()?).await),
            "RevokeAccessToken" => reply::unary(access.revoke(asked.decode()?).await),
            _ => return None,
        };
        if let Some(bearer) = bearer {
            caller.last_bearer.keep(bearer);
        }
        Some(response)
    }

    /// Lets tonic's routes answer; what they cannot read is refused by us.
    async fn routed(&self, parts: Parts, caller: &Caller, message: Bytes) -> Response<Reply> {
        let begun = call(&parts.headers, caller.peer);
        let request = Request::from_parts(parts, Full::new(message));
        let response = route(&self.routes, request, caller).await;
        match intake::unreadable(&response) {
            None => response,
            Some(violation) => self.refuse(begun, violation).await,
        }
    }

    async fn refuse(&self, call: Call, violation: FieldViolation) -> Response<Reply> {
        let refusal = self.broker.refuse_malformed(call, vec![violation]).await;
        reply::refused(status(&refusal))
    }
}

/// Tonic's routes alone.
impl Answers for Routes {
    async fn answer(&self, request: Request<Incoming>, caller: &Caller) -> Response<Reply> {
        Box::pin(route(self, request, caller)).await
    }
}

async fn route<B>(routes: &Routes, mut request: Request<B>, caller: &Caller) -> Response<Reply>
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<StdError>,
{
    request.extensions_mut().insert(caller.peer);
    if let Some(user) = &caller.local_user {
        request.extensions_mut().insert(user.clone());
    }
    match routes.clone().call(request).await {
        Ok(response) => response.map(Reply::Routed),
        Err(never) => match never {},
    }
}

impl Asked<&[u8]> {
    /// The request, if its bytes are one message that decodes.
    fn decode<T: Message + Default>(self) -> Option<Asked<T>> {
        let Self { call, presented, message } = self;
        let (header, message) = message.split_first_chunk::<FRAME_HEADER>()?;
        let [0, length @ ..] = *header else { return None };
        if usize::try_from(u32::from_be_bytes(length)) != Ok(message.len()) {
            return None;
        }
        Some(Asked { call, presented, message: T::decode(message).ok()? })
    }
}
