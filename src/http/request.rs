//! From a query or a form to a [`DockerTokenRequest`].

use axum::http::{HeaderMap, StatusCode};

use super::authorization::presented;
use super::parameters::Parameters;
use super::scope::parse_scopes;
use crate::broker::{DockerTokenRequest, FieldViolation};
use crate::identity::{Bearer, Presented};
use crate::model::{Permissions, Secret};

/// What is asked, and the shape of the answer.
#[derive(Debug)]
pub(super) struct Asked {
    /// What is asked.
    pub(super) request: DockerTokenRequest,
    /// The shape of the answer.
    pub(super) reply: Reply,
}

/// The shape of the answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reply {
    /// Of the docker registry token specification.
    Docker,
    /// Of OAuth 2.0 (RFC 6749, section 5.1).
    OAuth,
    /// Of OAuth 2.0 token exchange (RFC 8693, section 2.2.1), with the `issued_token_type`.
    Exchange(&'static str),
}

/// A request that cannot be understood.
#[derive(Debug)]
pub(super) struct Malformed {
    /// The status of the answer.
    pub(super) status: StatusCode,
    /// The OAuth 2.0 error word.
    pub(super) error: &'static str,
    /// What is wrong.
    pub(super) violation: FieldViolation,
}

impl Malformed {
    /// A request that cannot be understood, answered with `status`.
    pub(super) fn new(status: StatusCode, field: &str, description: &str) -> Self {
        let violation =
            FieldViolation { field: field.to_owned(), description: description.to_owned() };
        Self { status, ..Self::from(violation) }
    }

    fn with_error(self, error: &'static str) -> Self {
        Self { error, ..self }
    }
}

impl From<FieldViolation> for Malformed {
    fn from(violation: FieldViolation) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error: "invalid_request", violation }
    }
}

const SERVICE_REMEDY: &str = "send the service that the registry announces";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// Reads a GET: the docker registry token specification, with Basic credentials or none.
pub(super) fn parse_get(query: &str, headers: &HeaderMap) -> Result<Asked, Malformed> {
    let presented = presented(headers)?;
    let parameters = Parameters::parse(query.as_bytes());
    let request = DockerTokenRequest {
        service: parameters.once("service", SERVICE_REMEDY)?.to_owned(),
        permissions: scopes(&parameters)?,
        account: parameters.at_most_once("account")?.map(str::to_owned),
        offline: parameters.at_most_once("offline_token")? == Some("true"),
        presented,
        refresh_grant: false,
    };
    parameters.at_most_once("client_id")?;
    Ok(Asked { request, reply: Reply::Docker })
}

/// Reads the form of a POST: the OAuth 2.0 grants `password`, `refresh_token` and token exchange.
pub(super) fn parse_post(form: &[u8], headers: &HeaderMap) -> Result<Asked, Malformed> {
    if !matches!(presented(headers)?, Presented::Nothing) {
        // RFC 6749, section 2.3: one method of authentication a request; which one counts would be a guess
        let description = "is sent beside a form: send the credentials in the form only";
        return Err(Malformed::new(StatusCode::BAD_REQUEST, "authorization", description));
    }
    let form = Parameters::parse(form);
    form.at_most_once("client_id")?;
    let remedy = "send `password`, `refresh_token` or token exchange";
    match form.once("grant_type", remedy)? {
        "password" => password_grant(&form),
        "refresh_token" => refresh_grant(&form),
        TOKEN_EXCHANGE => exchange_grant(&form),
        _ => Err(Malformed::new(
            StatusCode::BAD_REQUEST,
            "grant_type",
            &format!("is unknown: {remedy}"),
        )
        .with_error("unsupported_grant_type")),
    }
}

fn password_grant(form: &Parameters) -> Result<Asked, Malformed> {
    absent(form, &["refresh_token", "subject_token", "assertion"])?;
    let username = form.once("username", "send the token's name")?.to_owned();
    let password = Secret::new(form.once("password", "send the token's password")?);
    let service = form.once("service", SERVICE_REMEDY)?;
    let request = granted(form, service, Presented::Basic { username, password })?;
    Ok(Asked { request, reply: Reply::OAuth })
}

fn refresh_grant(form: &Parameters) -> Result<Asked, Malformed> {
    absent(form, &["password", "subject_token", "assertion"])?;
    let token = Secret::new(form.once("refresh_token", "send the refresh token")?);
    let service = form.once("service", SERVICE_REMEDY)?;
    let request = granted(form, service, Presented::Bearer(Bearer::new(token)))?;
    Ok(Asked {
        request: DockerTokenRequest { refresh_grant: true, ..request },
        reply: Reply::OAuth,
    })
}

fn exchange_grant(form: &Parameters) -> Result<Asked, Malformed> {
    absent(form, &["password", "refresh_token", "assertion", "actor_token", "resource"])?;
    let token = Secret::new(form.once("subject_token", "send the identity token")?);
    subject_token_type(form)?;
    let issued_token_type = requested_token_type(form)?;
    let service = form.once("audience", "send the registry's service as audience")?;
    if form.at_most_once("service")?.is_some_and(|other| other != service) {
        let description = "is not the audience: send one of them, or the same in both";
        return Err(Malformed::new(StatusCode::BAD_REQUEST, "service", description)
            .with_error("invalid_target"));
    }
    let request = granted(form, service, Presented::Bearer(Bearer::new(token)))?;
    Ok(Asked { request, reply: Reply::Exchange(issued_token_type) })
}

/// What is common to the grants.
fn granted(
    form: &Parameters,
    service: &str,
    presented: Presented,
) -> Result<DockerTokenRequest, Malformed> {
    Ok(DockerTokenRequest {
        service: service.to_owned(),
        permissions: scopes(form)?,
        account: form.at_most_once("account")?.map(str::to_owned),
        offline: form.at_most_once("access_type")? == Some("offline"),
        presented,
        refresh_grant: false,
    })
}

fn scopes(parameters: &Parameters) -> Result<Permissions, Malformed> {
    parse_scopes(parameters.all("scope"))
        .map_err(|violation| Malformed::from(violation).with_error("invalid_scope"))
}

fn subject_token_type(form: &Parameters) -> Result<(), Malformed> {
    let remedy = "send urn:ietf:params:oauth:token-type: with jwt, id_token or access_token";
    match form.once("subject_token_type", remedy)? {
        JWT | ID_TOKEN | ACCESS_TOKEN => Ok(()),
        _ => {
            let description = format!("is unknown: {remedy}");
            Err(Malformed::new(StatusCode::BAD_REQUEST, "subject_token_type", &description))
        }
    }
}

/// The registry's token is an access token that happens to be a JWT: it is given under either name.
fn requested_token_type(form: &Parameters) -> Result<&'static str, Malformed> {
    match form.at_most_once("requested_token_type")? {
        None | Some(ACCESS_TOKEN) => Ok(ACCESS_TOKEN),
        Some(JWT) => Ok(JWT),
        Some(_) => {
            let description = "is not given here: leave it out";
            Err(Malformed::new(StatusCode::BAD_REQUEST, "requested_token_type", description))
        }
    }
}

/// Refuses what would be a second credential, or what would narrow the answer if it were understood.
fn absent(form: &Parameters, names: &[&str]) -> Result<(), Malformed> {
    match names.iter().find(|name| form.all(name).any(|value| !value.is_empty())) {
        None => Ok(()),
        Some(name) => {
            let description = "does not belong to this grant_type: leave it out";
            Err(Malformed::new(StatusCode::BAD_REQUEST, name, description))
        }
    }
}

#[cfg(test)]
mod tests;
