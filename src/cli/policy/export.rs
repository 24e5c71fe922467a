//! `dockpass policy export`.

use clap::Args;

use super::{Failure, Process};
use crate::cli::api::{Api, ApiOrFilesArgs, Place};
use crate::cli::offline::{self, ConfigArgs};
use crate::cli::refusal::Refusal;
use crate::model::RegistryName;
use crate::pb;
use crate::policy::PolicyFile;

/// Write the policy in force as a policy file; applied again, it changes nothing
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    dockpass policy export > policy.toml\n  \
    dockpass policy export --registry local > local.toml\n  \
    dockpass policy export --revision 7 --config dockpass.toml > before.toml")]
pub(in crate::cli) struct Export {
    /// Only of this registry
    #[arg(long, short, value_name = "NAME")]
    registry: Option<RegistryName>,
    /// The policy as it was at this revision; from the files, with --config [default: the present one]
    #[arg(long, value_name = "NUMBER", requires = "config")]
    revision: Option<u64>,
    #[command(flatten)]
    place: ApiOrFilesArgs,
}

impl Export {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let text = match self.place.place(process).await? {
            Place::Files(files) => self.read(&files).await?,
            Place::Api(api) => self.ask(&api).await?,
        };
        process.print(&text)
    }

    async fn read(&self, files: &ConfigArgs) -> Result<String, Failure> {
        let store = offline::existing_store(&files.load()?).await?;
        let mut definitions = match self.revision {
            Some(revision) => store.definitions_at(revision).await?,
            None => store.definitions().await?,
        };
        if let Some(registry) = &self.registry {
            definitions.scope_maps.retain(|map| map.registry == *registry);
            definitions.tokens.retain(|token| token.registry == *registry);
        }
        Ok(PolicyFile::render(&definitions))
    }

    async fn ask(&self, api: &Api) -> Result<String, Failure> {
        let registry = self.registry.as_ref().map(ToString::to_string).unwrap_or_default();
        let answer = api.policy().export_policy(pb::ExportPolicyRequest { registry }).await;
        let mut answer = answer.map_err(Refusal::from)?.into_inner();
        let mut bytes = Vec::new();
        while let Some(piece) = answer.message().await.map_err(Refusal::from)? {
            bytes.extend(piece.chunk);
        }
        String::from_utf8(bytes).map_err(|_| {
            Failure::failed("the broker's answer is no text: is it of another version?")
        })
    }
}
