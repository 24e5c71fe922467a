//! The flags that say what is asked for and by whom, shared by `issue` and `login`, and the call itself.

use clap::Args;
use tonic::Request;

use super::identity_source::CallerArgs;
use super::refusal::Refusal;
use super::server::ServerArgs;
use super::{Failure, Process, wire};
use crate::model::{ActionSet, InvalidName, Lifetime, RegistryName, RepositoryName, TokenName};
use crate::pb;

/// What is asked for.
#[derive(Args, Clone, Debug)]
pub(super) struct AccessArgs {
    /// The registry, by its name in the broker's configuration
    #[arg(long, short, value_name = "NAME")]
    registry: RegistryName,
    /// A repository, such as `servers/nginx`; may be given several times. All or nothing is granted
    #[arg(long = "repository", value_name = "REPOSITORY", required = true, value_parser = folded)]
    repositories: Vec<RepositoryName>,
    /// What to do there: pull, push, or content/read, content/write, content/delete, metadata/read, metadata/write; may be given several times and holds for every repository
    #[arg(long = "action", value_name = "ACTION", required = true, value_delimiter = ',')]
    actions: Vec<ActionSet>,
    /// How long the access token is to be valid, at least 1m; longer than allowed is shortened [default: as the registry says, else 15m]
    #[arg(long, value_name = "DURATION")]
    lifetime: Option<Lifetime>,
    /// An access token that was handed out before must have at least this much left [default: 1m]
    #[arg(long, value_name = "DURATION", conflicts_with = "fresh")]
    minimum_remaining: Option<Lifetime>,
    /// Act as this token [default: the first by name that allows the request]
    #[arg(long, value_name = "NAME")]
    token_name: Option<TokenName>,
    /// Never take an access token that was handed out before: for a job that revokes what it got
    #[arg(long)]
    fresh: bool,
    #[command(flatten)]
    caller: CallerArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// Whether the form that is sent to the registry directly is wanted too.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Bearer {
    Without,
    With,
}

impl AccessArgs {
    /// Asks the broker for an access token.
    pub(super) async fn issue(
        &self,
        bearer: Bearer,
        process: &mut Process,
    ) -> Result<pb::AccessToken, Failure> {
        let mut request = Request::new(self.message(bearer));
        let server = self.server.url(&process.environment)?;
        let authorization = self.caller.authorization(&server, process).await?;
        request.metadata_mut().insert("authorization", authorization);
        let mut client = self.server.connect(&process.environment).await?;
        let response = client.issue_access_token(request).await.map_err(Refusal::from)?;
        let token = response.into_inner().access_token;
        token.ok_or_else(|| Failure::failed("the broker's answer holds no access token"))
    }

    fn message(&self, bearer: Bearer) -> pb::IssueAccessTokenRequest {
        let set = self.actions.iter().fold(ActionSet::EMPTY, |set, actions| set.union(*actions));
        let actions = wire::actions(set);
        let permissions = self.repositories.iter().map(|repository| pb::RepositoryPermission {
            repository: repository.to_string(),
            actions: actions.clone(),
        });
        pb::IssueAccessTokenRequest {
            registry: self.registry.to_string(),
            permissions: permissions.collect(),
            lifetime: self.lifetime.map(|lifetime| wire::duration(lifetime.as_duration())),
            minimum_remaining: self
                .minimum_remaining
                .map(|rest| wire::duration(rest.as_duration())),
            token_name: self.token_name.as_ref().map(ToString::to_string).unwrap_or_default(),
            with_bearer_token: bearer == Bearer::With,
            fresh: self.fresh,
        }
    }
}

/// A repository's name with upper case folded to lower, as `az acr` does.
fn folded(text: &str) -> Result<RepositoryName, InvalidName> {
    text.to_lowercase().parse()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Arguments {
        #[command(flatten)]
        access: AccessArgs,
    }

    fn message(arguments: &str) -> Result<pb::IssueAccessTokenRequest, clap::Error> {
        let arguments = Arguments::try_parse_from(arguments.split_whitespace())?;
        Ok(arguments.access.message(Bearer::Without))
    }

    #[test]
    fn flags_become_the_message() {
        let message = message(
            "x --registry local --repository Servers/NGINX --repository b --action push \
             --action metadata/read --lifetime 10m --token-name nginx-ci --fresh",
        )
        .unwrap();
        assert_eq!(message.permissions[0].repository, "servers/nginx");
        assert_eq!(message.permissions[1].actions, [1, 2, 4]);
        assert_eq!(message.lifetime.unwrap().seconds, 600);
        assert_eq!(message.token_name, "nginx-ci");
        assert!(message.fresh && !message.with_bearer_token && message.minimum_remaining.is_none());
    }

    #[test]
    fn wrong_values_are_refused_with_the_flag_and_the_remedy() {
        for (arguments, expected) in [
            ("--repository a --action pull", "--registry"),
            ("--registry local --action pull", "--repository"),
            ("--registry local --repository a", "--action"),
            ("--registry local --repository a --action read", "content/read"),
            ("--registry local --repository a/* --action pull", "a/*"),
            ("--registry Local --repository a --action pull", "Local"),
            ("--registry l --repository a --action pull --lifetime 5s", "one minute"),
            ("--registry l --repository a --action pull --fresh --minimum-remaining 5m", "--fresh"),
        ] {
            let error = message(&format!("x {arguments}")).unwrap_err();
            assert!(error.to_string().contains(expected), "{arguments}: {error}");
        }
    }
}
