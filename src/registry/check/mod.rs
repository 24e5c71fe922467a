//! Whether a registry is set up for dockpass: what it announces, whom it trusts, and what goes around the broker.
//!
//! A check reads and never changes anything, and asks nothing but the registry's own host.

mod challenge;
mod finding;
mod judge;
mod trust;

use reqwest::StatusCode;

use super::distribution::Distribution;
use crate::net::{self, Request, Response};

pub use self::finding::{Finding, Level};

/// Looks at the registry.
pub(super) async fn run(driver: &Distribution) -> Vec<Finding> {
    let (url, answer) = match first_answer(driver).await {
        Ok(found) => found,
        Err(error) => {
            let remedy =
                "see that it runs, that `host` is right, and that its certificate is trusted here";
            return vec![Finding::error("reachable", error.to_string(), remedy)];
        }
    };
    let mut findings = vec![
        Finding::ok("reachable", format!("`{url}` answers")),
        judge::clock(&answer, driver.deps.clock.now()),
        judge::anonymous_access(&answer, &driver.config),
    ];
    if answer.status == StatusCode::UNAUTHORIZED {
        findings.extend(judge::challenge(&answer, &driver.config, &driver.deps.external_url));
        findings.extend(trust::findings(driver, &url).await);
    }
    findings
}

/// The answer to a request without credentials, over http where that is allowed (loopback) and answered, else over https.
async fn first_answer(driver: &Distribution) -> Result<(String, Response), net::Error> {
    let (http, host) = (&driver.deps.http, &driver.config.host);
    let plain = format!("http://{host}/v2/");
    match http.send(Request::get(&plain)).await {
        // a TLS listener answers 400 to plain http
        Ok(answer) if answer.status != StatusCode::BAD_REQUEST => Ok((plain, answer)),
        _ => {
            let url = format!("https://{host}/v2/");
            let answer = http.send(Request::get(&url)).await?;
            Ok((url, answer))
        }
    }
}

#[cfg(test)]
mod tests;
