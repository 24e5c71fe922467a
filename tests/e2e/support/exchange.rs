//! A docker client that exchanges a password for a registry's token: a new connection each time, and a second attempt where the first was lost
//! or answered with 503.

use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Response, StatusCode};
use serde_json::Value;

use super::caller::{Failure, Outcome};
use super::with_query;

/// An exchange of a password for a token that pulls from `servers/nginx`.
pub(crate) struct Exchange {
    client: reqwest::Client,
    url: String,
}

impl Exchange {
    /// At the token endpoint `url`, for the registry `service`.
    #[expect(clippy::disallowed_methods, reason = "the tests stand outside of dockpass")]
    pub(crate) fn at(url: &str, service: &str) -> Self {
        let query = [("service", service), ("scope", "repository:servers/nginx:pull")];
        let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
        Self { client, url: with_query(url, &query) }
    }

    /// The registry's token.
    pub(crate) async fn exchange(&self, username: &str, password: &str) -> Outcome<String> {
        match self.attempt(username, password).await {
            Ok(token) => Outcome { result: Ok(token), retried: false },
            Err(failure) if failure.is_passing() => {
                tokio::time::sleep(failure.retry_after.unwrap_or_default()).await;
                Outcome { result: self.attempt(username, password).await, retried: true }
            }
            Err(failure) => Outcome { result: Err(failure), retried: false },
        }
    }

    async fn attempt(&self, username: &str, password: &str) -> Result<String, Failure> {
        let request = self.client.get(&self.url).basic_auth(username, Some(password));
        let Ok(response) = request.send().await else { return Err(Failure::lost()) };
        if response.status() != StatusCode::OK {
            return Err(refusal(response).await);
        }
        let answer: Value = response.json().await.map_err(|_| Failure::lost())?;
        Ok(answer["token"].as_str().unwrap().to_owned())
    }
}

async fn refusal(response: Response) -> Failure {
    let (status, seconds) = (response.status(), response.headers().get(RETRY_AFTER));
    let seconds = seconds.and_then(|seconds| seconds.to_str().ok()?.parse().ok());
    let answer: Value = response.json().await.unwrap_or_default();
    let reason = answer["errors"][0]["detail"]["reason"].as_str();
    Failure {
        reason: reason.map_or_else(|| status.to_string(), str::to_owned),
        code: (status == StatusCode::SERVICE_UNAVAILABLE).then_some(tonic::Code::Unavailable),
        retry_after: seconds.map(Duration::from_secs),
    }
}
