//! The documents with which a registry is configured: public keys and the root certificate.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use super::error;
use crate::broker::Broker;

/// Public, and not changed often: the same 5 minutes as the life of a registry's JWT.
const CACHEABLE: &str = "public, max-age=300";

/// Answers `GET /.well-known/jwks.json` (RFC 7517); an empty set in x5c mode.
pub(super) async fn jwks(State(broker): State<Arc<Broker>>) -> Response {
    document("application/json", broker.registries().jwks().to_string())
}

/// Answers `GET /ca.pem`; 404 when no registry trusts a root.
pub(super) async fn root_certificate(State(broker): State<Arc<Broker>>) -> Response {
    root_document(broker.registries().root_certificate_pem())
}

fn root_document(pem: String) -> Response {
    if pem.is_empty() {
        return error::not_found();
    }
    // RFC 8555, section 9.1
    document("application/pem-certificate-chain", pem)
}

fn document(content_type: &'static str, text: String) -> Response {
    ([(CONTENT_TYPE, content_type), (CACHE_CONTROL, CACHEABLE)], text).into_response()
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    #[test]
    fn without_a_root_there_is_no_document() {
        assert_eq!(root_document(String::new()).status(), StatusCode::NOT_FOUND);
        let response = root_document("-----BEGIN CERTIFICATE-----".to_owned());
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/pem-certificate-chain");
    }
}
