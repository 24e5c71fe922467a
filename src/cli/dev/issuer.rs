//! The local issuer of `dockpass dev`: real discovery, real keys, real signatures, reached like any other issuer.

use std::future::ready;
use std::net::SocketAddr;

use anyhow::Context;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use axum::Router;
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::model::{IssuerUrl, Secret};

/// How long its tokens live.
const TOKEN_LIFE: SignedDuration = SignedDuration::from_hours(1);

/// An issuer with one signing key that lives as long as the process.
#[derive(Debug)]
pub(super) struct LocalIssuer {
    issuer: IssuerUrl,
    audience: String,
    key: EcdsaKeyPair,
    key_id: String,
}

impl LocalIssuer {
    /// A new issuer at `address`, whose tokens are for `audience`.
    pub(super) fn new(address: SocketAddr, audience: &str) -> anyhow::Result<Self> {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .context("cannot generate a key for the local issuer")?;
        let public = key.public_key().as_der().context("cannot encode the local issuer's key")?;
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, public.as_ref());
        Ok(Self {
            issuer: format!("http://localhost:{}", address.port()).parse()?,
            audience: audience.to_owned(),
            key_id: URL_SAFE_NO_PAD.encode(hash),
            key,
        })
    }

    /// Its `iss`.
    pub(super) const fn issuer(&self) -> &IssuerUrl {
        &self.issuer
    }

    /// Signs a token for `subject`, with more claims.
    pub(super) fn sign(
        &self,
        subject: &str,
        claims: &Value,
        now: Timestamp,
    ) -> anyhow::Result<Secret> {
        let mut body = json!({
            "iss": self.issuer,
            "sub": subject,
            "aud": self.audience,
            "iat": now.as_second(),
            "nbf": now.as_second(),
            "exp": (now + TOKEN_LIFE).as_second(),
            "jti": uuid::Uuid::new_v4(),
        });
        if let (Some(body), Some(claims)) = (body.as_object_mut(), claims.as_object()) {
            body.extend(claims.clone());
        }
        let header = json!({"typ": "JWT", "alg": "ES256", "kid": self.key_id});
        let signed = format!("{}.{}", encode(&header), encode(&body));
        let signature = self
            .key
            .sign(&SystemRandom::new(), signed.as_bytes())
            .context("the local issuer cannot sign")?;
        Ok(Secret::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }

    /// Serves discovery and keys until the future is dropped.
    pub(super) fn serve(
        &self,
        listener: TcpListener,
    ) -> impl Future<Output = std::io::Result<()>> + use<> {
        let discovery = json!({
            "issuer": self.issuer,
            "jwks_uri": format!("{}/keys", self.issuer),
            "id_token_signing_alg_values_supported": ["ES256"],
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
        });
        let keys = json!({"keys": [self.public_key()]});
        let router = Router::new()
            .route(
                "/.well-known/openid-configuration",
                get(move || ready(answer(discovery.to_string()))),
            )
            .route("/keys", get(move || ready(answer(keys.to_string()))));
        axum::serve(listener, router).into_future()
    }

    fn public_key(&self) -> Value {
        // an uncompressed point: 04, x, y (SEC 1, section 2.3.3)
        let point = self.key.public_key().as_ref().get(1..).unwrap_or_default();
        let (x, y) = point.split_at(point.len() / 2);
        json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.key_id,
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
        })
    }
}

fn answer(document: String) -> ([(axum::http::HeaderName, &'static str); 1], String) {
    ([(axum::http::header::CONTENT_TYPE, "application/json")], document)
}

fn encode(document: &Value) -> String {
    URL_SAFE_NO_PAD.encode(document.to_string())
}
