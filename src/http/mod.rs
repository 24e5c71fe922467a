//! The HTTP edge: the docker token endpoint, the documents that registries are configured with, and the ops listener.
//!
//! HTTP types stop here: a request becomes a `DockerTokenRequest`, a `Refusal` an answer that every docker client shows.

mod authorization;
mod body;
mod call;
mod docker_token;
mod error;
mod json;
mod keys;
mod ops;
mod parameters;
mod request;
mod response;
mod scope;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::broker::Broker;

pub use self::ops::ops_router;

/// The router of the HTTP listener.
pub fn router(broker: Arc<Broker>) -> Router {
    let token_methods = async || error::method_not_allowed("GET, POST");
    let document_methods = || async { error::method_not_allowed("GET, HEAD") };
    Router::new()
        // a HEAD would mint a token that nobody reads
        .route(
            "/token",
            get(docker_token::get)
                .post(docker_token::post)
                .head(token_methods)
                .fallback(token_methods),
        )
        .route("/.well-known/jwks.json", get(keys::jwks).fallback(document_methods))
        .route("/ca.pem", get(keys::root_certificate).fallback(document_methods))
        .fallback(async || error::not_found())
        .with_state(broker)
}
