//! An issuer of identity tokens: discovery, keys, signatures. It signs with the crypto library itself, not with the code that verifies.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dockpass::model::{Clock, SystemClock};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A running issuer. Dropped, it is down.
pub(crate) struct Issuer {
    url: String,
    shared: Arc<Shared>,
    server: JoinSet<()>,
}

struct Shared {
    /// The newest last.
    keys: Mutex<Vec<Key>>,
    fetches: AtomicUsize,
}

struct Key {
    kid: String,
    pair: Pair,
}

enum Pair {
    Es256(Box<EcdsaKeyPair>),
    Rs256(Box<RsaKeyPair>),
}

impl Issuer {
    /// Starts an issuer on a free port that signs with ES256.
    pub(crate) async fn start() -> Self {
        Self::with(Key::es256("key-1")).await
    }

    /// Starts an issuer that signs with RS256, as GitHub does.
    pub(crate) async fn start_rs256() -> Self {
        Self::with(Key::rs256("key-1")).await
    }

    async fn with(key: Key) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared { keys: Mutex::new(vec![key]), fetches: AtomicUsize::new(0) });
        let jwks_uri = format!("{url}/keys");
        let discovery =
            json!({"issuer": url, "jwks_uri": jwks_uri, "response_types_supported": ["id_token"]});
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(async move || document(&discovery)))
            .route("/keys", get(keys))
            .with_state(Arc::clone(&shared));
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, shared, server }
    }

    /// The `iss` of its tokens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// How often its keys were fetched.
    pub(crate) fn fetches(&self) -> usize {
        self.shared.fetches.load(Ordering::SeqCst)
    }

    /// Signs from now on with a new key; the ones before stay published.
    pub(crate) fn rotate(&self) {
        let mut keys = self.shared.keys.lock();
        let kid = format!("key-{}", keys.len() + 1);
        keys.push(Key::es256(&kid));
    }

    /// Takes the issuer down; it can still sign.
    pub(crate) async fn stop(&mut self) {
        self.server.shutdown().await;
    }

    /// A token of five minutes for `audience`, with `claims` beside the registered ones, which they override.
    pub(crate) fn token(&self, audience: &str, claims: &Value) -> String {
        self.token_at(SystemClock.now().as_second(), audience, claims)
    }

    /// The same, issued at a time in seconds.
    pub(crate) fn token_at(&self, issued_at: i64, audience: &str, claims: &Value) -> String {
        let mut payload = json!({
            "iss": self.url, "aud": audience, "jti": uuid::Uuid::now_v7().to_string(),
            "iat": issued_at, "nbf": issued_at, "exp": issued_at + 300,
        });
        for (name, value) in claims.as_object().unwrap() {
            payload[name] = value.clone();
        }
        self.shared.keys.lock().last().unwrap().sign(&payload)
    }
}

async fn keys(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    shared.fetches.fetch_add(1, Ordering::SeqCst);
    let keys: Vec<Value> = shared.keys.lock().iter().map(Key::jwk).collect();
    document(&json!({"keys": keys}))
}

fn document(value: &Value) -> impl IntoResponse + use<> {
    ([(CONTENT_TYPE, "application/json")], value.to_string())
}

impl Key {
    fn es256(kid: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { kid: kid.to_owned(), pair: Pair::Es256(Box::new(pair)) }
    }

    fn rs256(kid: &str) -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        Self { kid: kid.to_owned(), pair: Pair::Rs256(Box::new(pair)) }
    }

    fn jwk(&self) -> Value {
        match &self.pair {
            Pair::Es256(pair) => {
                // the point, uncompressed (SEC 1, 2.3.3): 4, x, y
                let point = pair.public_key().as_ref();
                let (x, y) = (encode(&point[1..33]), encode(&point[33..]));
                json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid, "x": x, "y": y})
            }
            Pair::Rs256(pair) => {
                // RSAPublicKey of RFC 8017, A.1.1; for 2048 bits its head has nine bytes, the last of them the sign of n
                let der = pair.public_key().as_ref();
                assert_eq!(der.len(), 270, "a key of 2048 bits with exponent 65537");
                let (n, e) = (encode(&der[9..265]), encode(&der[267..]));
                json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "n": n, "e": e})
            }
        }
    }

    fn sign(&self, payload: &Value) -> String {
        let alg = match self.pair {
            Pair::Es256(_) => "ES256",
            Pair::Rs256(_) => "RS256",
        };
        let header = json!({"alg": alg, "typ": "JWT", "kid": self.kid});
        let signed = format!(
            "{}.{}",
            encode(header.to_string().as_bytes()),
            encode(payload.to_string().as_bytes())
        );
        let random = SystemRandom::new();
        let signature = match &self.pair {
            Pair::Es256(pair) => pair.sign(&random, signed.as_bytes()).unwrap().as_ref().to_vec(),
            Pair::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).unwrap();
                signature
            }
        };
        format!("{signed}.{}", encode(&signature))
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
