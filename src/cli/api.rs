//! The management API of a broker, called as an operator.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Request, Status};

use super::identity_source::CallerArgs;
use super::offline::ConfigArgs;
use super::refusal::Refusal;
use super::server::ServerArgs;
use super::server_url::ServerUrl;
use super::{Failure, Process};
use crate::pb;

/// How long an answer may take to begin: a review or a verification reads the whole trail first.
const TIMEOUT: Duration = Duration::from_mins(10);

/// Which broker is managed, and by whom. Over the admin socket, the user of the operating system is who.
#[derive(Args, Clone, Debug)]
pub(super) struct ApiArgs {
    #[command(flatten)]
    caller: CallerArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// A broker's API or, with `--config`, its files.
#[derive(Args, Clone, Debug)]
pub(super) struct ApiOrFilesArgs {
    /// Work on the files of the broker with this configuration; no server is needed
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["server", "ca_file", "identity_token_file", "username", "audience"]
    )]
    config: Option<PathBuf>,
    #[command(flatten)]
    api: ApiArgs,
}

/// Where a command does its work.
#[derive(Debug)]
pub(super) enum Place {
    Api(Api),
    Files(ConfigArgs),
}

impl ApiArgs {
    /// Connects, with the operator's identity.
    pub(super) async fn connect(&self, process: &mut Process) -> Result<Api, Failure> {
        let url = self.server.any_url(&process.environment)?;
        let caller = match &url {
            ServerUrl::Network(_) => Some(self.caller.authorization(&url, process).await?),
            ServerUrl::Socket(_) if self.caller.is_given() => {
                return Err(Failure::usage(
                    "over the admin socket you are the user that you are on this machine: leave the identity out",
                ));
            }
            ServerUrl::Socket(_) => None,
        };
        let channel = self.server.channel(&url, TIMEOUT).await?;
        Ok(Api { channel, caller: Caller(caller) })
    }
}

impl ApiOrFilesArgs {
    /// The files when they are named, else the API.
    pub(super) async fn place(&self, process: &mut Process) -> Result<Place, Failure> {
        match self.files() {
            Some(files) => Ok(Place::Files(files)),
            None => Ok(Place::Api(self.api.connect(process).await?)),
        }
    }

    /// The files, when they are named.
    pub(super) fn files(&self) -> Option<ConfigArgs> {
        self.config.clone().map(ConfigArgs::at)
    }

    /// The files that are named, or else those of the working folder: for what only the files can tell.
    pub(super) fn files_or_default(&self) -> ConfigArgs {
        self.files().unwrap_or_default()
    }
}

/// A connection to the management services.
#[derive(Clone, Debug)]
pub(super) struct Api {
    channel: Channel,
    caller: Caller,
}

/// Adds the operator's identity to each call.
#[derive(Clone, Debug)]
pub(super) struct Caller(Option<MetadataValue<Ascii>>);

impl Interceptor for Caller {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(authorization) = &self.0 {
            request.metadata_mut().insert("authorization", authorization.clone());
        }
        Ok(request)
    }
}

type Transport = InterceptedService<Channel, Caller>;

impl Api {
    pub(super) fn scope_maps(
        &self,
    ) -> pb::scope_map_service_client::ScopeMapServiceClient<Transport> {
        pb::scope_map_service_client::ScopeMapServiceClient::new(self.transport())
    }

    pub(super) fn tokens(&self) -> pb::token_service_client::TokenServiceClient<Transport> {
        pb::token_service_client::TokenServiceClient::new(self.transport())
    }

    pub(super) fn registries(
        &self,
    ) -> pb::registry_service_client::RegistryServiceClient<Transport> {
        pb::registry_service_client::RegistryServiceClient::new(self.transport())
    }

    pub(super) fn audit(&self) -> pb::audit_service_client::AuditServiceClient<Transport> {
        pb::audit_service_client::AuditServiceClient::new(self.transport())
    }

    pub(super) fn policy(&self) -> pb::policy_service_client::PolicyServiceClient<Transport> {
        pb::policy_service_client::PolicyServiceClient::new(self.transport())
    }

    fn transport(&self) -> Transport {
        InterceptedService::new(self.channel.clone(), self.caller.clone())
    }
}

/// The most entries that a page of a list is asked for.
pub(super) const PAGE: i32 = 1000;

/// All pages of a list; `page` gets the token of the page, and gives its entries and the token of the next one.
pub(super) async fn all_pages<T>(
    mut page: impl AsyncFnMut(String) -> Result<(Vec<T>, String), Status>,
) -> Result<Vec<T>, Failure> {
    let (mut all, mut next) = (Vec::new(), String::new());
    loop {
        let (entries, following) = page(next).await.map_err(Refusal::from)?;
        all.extend(entries);
        if following.is_empty() {
            return Ok(all);
        }
        next = following;
    }
}

/// What an answer must hold and does not.
pub(super) fn incomplete(what: &str) -> Failure {
    Failure::failed(format!("the broker's answer holds no {what}: is it of another version?"))
}
