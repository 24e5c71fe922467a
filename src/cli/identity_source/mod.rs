//! Where the caller's identity comes from: a flag, the environment, or what the platform offers.
//!
//! Each source hands its token to the broker and to nobody else, and a platform's own credential goes to that platform only.

mod file;
mod github;
mod gitlab;
mod kubernetes;
mod spiffe;

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use tonic::metadata::{Ascii, MetadataValue};

use super::server_url::ServerUrl;
use super::{Environment, Failure, Process};
use crate::model::Secret;
use crate::net;

/// Who is calling.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Identity")]
pub(super) struct CallerArgs {
    /// The identity token is in this file, read anew each time; `-` is standard input [else: env `DOCKPASS_IDENTITY_TOKEN`, GitHub Actions, GitLab (env `DOCKPASS_ID_TOKEN`), /var/run/secrets/tokens/dockpass, the SPIFFE Workload API]
    #[arg(long, value_name = "FILE")]
    identity_token_file: Option<PathBuf>,
    /// The name of a token whose password is given by --password-stdin
    #[arg(
        long,
        value_name = "NAME",
        requires = "password_stdin",
        conflicts_with = "identity_token_file"
    )]
    username: Option<String>,
    /// Read the password of a token from standard input
    #[arg(long, requires = "username")]
    password_stdin: bool,
    /// The audience that the broker expects of identity tokens, where one is fetched [env: `DOCKPASS_AUDIENCE`] [default: the broker's URL]
    #[arg(long, value_name = "AUDIENCE")]
    audience: Option<String>,
}

impl CallerArgs {
    /// True when a flag says who is calling.
    pub(super) const fn is_given(&self) -> bool {
        self.identity_token_file.is_some() || self.username.is_some() || self.audience.is_some()
    }

    /// The `authorization` of a call to `server`.
    pub(super) async fn authorization(
        &self,
        server: &ServerUrl,
        process: &mut Process,
    ) -> Result<MetadataValue<Ascii>, Failure> {
        if let Some(username) = &self.username {
            let password = Secret::new(process.input_line()?);
            return basic(username, &password);
        }
        let token = match &self.identity_token_file {
            Some(file) if file.as_os_str() == "-" => Secret::new(process.input_line()?),
            Some(file) => file::read(file).map_err(Failure::Failed)?,
            None => {
                let environment = &process.environment;
                let audience = self.audience.as_deref();
                let audience = audience.or_else(|| environment.value("DOCKPASS_AUDIENCE"));
                let audience = audience.map_or_else(|| server.to_string(), str::to_owned);
                Sources::of_this_machine(environment, &audience).detect().await?
            }
        };
        bearer(&token)
    }
}

/// What the sources look at.
#[derive(Debug)]
struct Sources<'a> {
    environment: &'a Environment,
    audience: &'a str,
    kubernetes_token: &'a Path,
    http: net::Config,
}

/// What came of asking a source.
#[derive(Debug)]
enum Attempt {
    /// A token.
    Found(Secret),
    /// The source is not there, and how one can tell.
    Absent(&'static str),
}

impl<'a> Sources<'a> {
    fn of_this_machine(environment: &'a Environment, audience: &'a str) -> Self {
        Self {
            environment,
            audience,
            kubernetes_token: Path::new(kubernetes::TOKEN_FILE),
            http: net::Config::default(),
        }
    }

    /// The token of the first source that is there. One that is there and fails is an error: the next one would be another identity.
    async fn detect(&self) -> Result<Secret, Failure> {
        let mut tried = Vec::new();
        for source in Source::IN_ORDER {
            match self.ask(source).await {
                Ok(Attempt::Found(token)) => return Ok(token),
                Ok(Attempt::Absent(why)) => {
                    tried.push(format!("\n  {}: {why}", source.name()));
                }
                Err(problem) => {
                    return Err(Failure::failed(format!(
                        "no identity token from {}: {problem}",
                        source.name()
                    )));
                }
            }
        }
        Err(Failure::failed(format!(
            "no identity was found: give --identity-token-file FILE, or --username NAME --password-stdin; tried:{}",
            tried.concat()
        )))
    }

    async fn ask(&self, source: Source) -> Result<Attempt, String> {
        match source {
            Source::Variable => Ok(variable(self.environment, "DOCKPASS_IDENTITY_TOKEN")),
            Source::GitHubActions => github::token(self).await,
            Source::GitLab => Ok(gitlab::token(self.environment)),
            Source::Kubernetes => kubernetes::token(self.kubernetes_token),
            Source::Spiffe => spiffe::token(self).await,
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Source {
    Variable,
    GitHubActions,
    GitLab,
    Kubernetes,
    Spiffe,
}

impl Source {
    const IN_ORDER: [Self; 5] =
        [Self::Variable, Self::GitHubActions, Self::GitLab, Self::Kubernetes, Self::Spiffe];

    const fn name(self) -> &'static str {
        match self {
            Self::Variable => "the environment",
            Self::GitHubActions => "GitHub Actions",
            Self::GitLab => "GitLab",
            Self::Kubernetes => "Kubernetes",
            Self::Spiffe => "the SPIFFE Workload API",
        }
    }
}

fn variable(environment: &Environment, name: &'static str) -> Attempt {
    match environment.value(name) {
        Some(token) => Attempt::Found(Secret::new(token.trim())),
        None if name == gitlab::VARIABLE => Attempt::Absent("DOCKPASS_ID_TOKEN is not set"),
        None => Attempt::Absent("DOCKPASS_IDENTITY_TOKEN is not set"),
    }
}

fn bearer(token: &Secret) -> Result<MetadataValue<Ascii>, Failure> {
    let text = token.expose();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Failure::failed(
            "the identity token is empty, or not a token: it has blanks or control characters",
        ));
    }
    sensitive(&format!("Bearer {text}"))
}

fn basic(username: &str, password: &Secret) -> Result<MetadataValue<Ascii>, Failure> {
    if password.expose().is_empty() {
        return Err(Failure::failed("standard input holds no password"));
    }
    if username.contains(':') {
        return Err(Failure::usage("a username has no `:` (RFC 7617)"));
    }
    sensitive(&format!("Basic {}", STANDARD.encode(format!("{username}:{}", password.expose()))))
}

fn sensitive(text: &str) -> Result<MetadataValue<Ascii>, Failure> {
    let mut value = MetadataValue::try_from(text)
        .map_err(|_| Failure::failed("the identity does not fit into a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests;
