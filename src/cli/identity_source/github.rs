//! GitHub Actions: the runner offers a URL and a token by which a job asks for its identity token.

use reqwest::header::{AUTHORIZATION, HeaderValue};
use serde::Deserialize;

use super::{Attempt, Sources};
use crate::model::Secret;
use crate::net::{HttpClient, Request};

const URL: &str = "ACTIONS_ID_TOKEN_REQUEST_URL";
const REQUEST_TOKEN: &str = "ACTIONS_ID_TOKEN_REQUEST_TOKEN";

/// The answer of the runner's service.
#[derive(Deserialize)]
struct Answer {
    value: String,
}

/// Asks for a token with the broker's audience. The request token goes to the runner's URL only, over https, and no redirect is followed.
pub(super) async fn token(sources: &Sources<'_>) -> Result<Attempt, String> {
    let environment = sources.environment;
    let (url, request_token) = match (environment.value(URL), environment.value(REQUEST_TOKEN)) {
        (Some(url), Some(request_token)) => (url, request_token),
        (None, None) if environment.value("GITHUB_ACTIONS").is_none() => {
            return Ok(Attempt::Absent("ACTIONS_ID_TOKEN_REQUEST_URL is not set"));
        }
        _ => return Ok(Attempt::Absent("the job lacks `permissions: id-token: write`")),
    };
    let mut request = Request::get(with_audience(url, sources.audience));
    let mut authorization = HeaderValue::try_from(format!("Bearer {request_token}"))
        .map_err(|_| format!("{REQUEST_TOKEN} is not a token"))?;
    authorization.set_sensitive(true);
    request.headers.insert(AUTHORIZATION, authorization);
    let client = HttpClient::build(&sources.http).map_err(|error| error.to_string())?;
    let response = client.send(request).await.map_err(|error| error.to_string())?;
    if !response.status.is_success() {
        return Err(format!("the runner's token service answers {}", response.status));
    }
    let answer: Answer = serde_json::from_slice(&response.body)
        .map_err(|_| "the runner's token service answers no `value`".to_owned())?;
    Ok(Attempt::Found(Secret::new(answer.value)))
}

/// The runner's URL has a query already, such as `?api-version=2.0`.
fn with_audience(url: &str, audience: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    let query =
        form_urlencoded::Serializer::new(String::new()).append_pair("audience", audience).finish();
    format!("{url}{separator}{query}")
}
