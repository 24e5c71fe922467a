//! Proves with real requests that the registry accepts our keys and refuses those of others.

use jiff::SignedDuration;
use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, HeaderValue};

use super::finding::Finding;
use crate::model::Secret;
use crate::net::Request;
use crate::registry::distribution::Distribution;
use crate::registry::distribution::keys::{Proof, Signer};

const ROOT_ENDS_SOON: SignedDuration = SignedDuration::from_hours(24 * 90);

/// What the registry says to tokens of ours, which allow nothing, and to forged ones.
pub(super) async fn findings(driver: &Distribution, url: &str) -> Vec<Finding> {
    let mut findings: Vec<Finding> = root_end(driver).into_iter().collect();
    let proofs = match proofs(driver) {
        Ok(proofs) => proofs,
        Err(error) => {
            findings.push(Finding::error(
                "key",
                error.to_string(),
                "see that the keys can be used",
            ));
            return findings;
        }
    };
    for (proof, jwt) in proofs {
        let answer = ask(driver, url, &jwt).await;
        findings.push(judge(&proof, answer));
    }
    findings
}

fn proofs(driver: &Distribution) -> Result<Vec<(Proof, Secret)>, crate::registry::Error> {
    let now = driver.deps.clock.now();
    let claims = driver.claims_of_nothing(now)?;
    driver.signer.proofs(&claims, now)
}

/// The status of the answer, or why there is none.
async fn ask(driver: &Distribution, url: &str, jwt: &Secret) -> Result<StatusCode, String> {
    let mut authorization = HeaderValue::from_str(&format!("Bearer {}", jwt.expose()))
        .map_err(|error| error.to_string())?;
    authorization.set_sensitive(true);
    let mut request = Request::get(url);
    request.headers.insert(AUTHORIZATION, authorization);
    let answer = driver.deps.http.send(request).await.map_err(|error| error.to_string())?;
    Ok(answer.status)
}

fn judge(proof: &Proof, answer: Result<StatusCode, String>) -> Finding {
    let status = match answer {
        Ok(status) => status,
        Err(problem) => return Finding::error("key", problem, "try again"),
    };
    match (proof, status) {
        (Proof::Active(key), StatusCode::OK) => {
            Finding::ok("key", format!("it accepts tokens that are signed with {key}"))
        }
        (Proof::Next(key), StatusCode::OK) => Finding::ok(
            "key",
            format!(
                "it accepts tokens that are signed with {key}, which may become the active key"
            ),
        ),
        (Proof::Forged(key), StatusCode::UNAUTHORIZED) => {
            Finding::ok("foreign-key", format!("it refuses tokens that are signed with {key}"))
        }
        (Proof::Active(key), StatusCode::UNAUTHORIZED) => Finding::error(
            "key",
            format!("it refuses tokens that are signed with {key}"),
            "see that `auth.token.issuer` is `token_issuer`, that its rootcertbundle is that of `dockpass registry show --bundle`, and restart it: it reads both at its start only",
        ),
        (Proof::Next(key), StatusCode::UNAUTHORIZED) => Finding::warning(
            "key",
            format!("it does not know {key} yet"),
            "give it the new rootcertbundle and restart it before this key becomes the active one",
        ),
        (Proof::Forged(key), StatusCode::OK) => Finding::error(
            "foreign-key",
            format!("it accepts tokens that are signed with {key}: anybody can make tokens for it"),
            "stop it and see what it trusts",
        ),
        (_, other) => Finding::error(
            "key",
            format!("it answers {} to a token where 200 or 401 was expected", other.as_u16()),
            "see its log",
        ),
    }
}

fn root_end(driver: &Distribution) -> Option<Finding> {
    let Signer::X5c(leaves) = &driver.signer else { return None };
    let end = leaves.root().not_after();
    let soon = driver.deps.clock.now().saturating_add(ROOT_ENDS_SOON).is_ok_and(|then| then > end);
    let message = format!("the root certificate ends at {end}");
    Some(if soon {
        let remedy = "make a new root, and put both certificates into the rootcertbundle of every registry first";
        Finding::warning("root", message, remedy)
    } else {
        Finding::ok("root", message)
    })
}
