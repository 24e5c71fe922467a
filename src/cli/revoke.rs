//! `dockpass revoke`: takes an access token back.

use clap::Args;
use serde::Serialize;
use tonic::Request;

use super::identity_source::CallerArgs;
use super::output::OutputArgs;
use super::refusal::Refusal;
use super::server::ServerArgs;
use super::wire::{timestamp, to_the_second};
use super::{Failure, Process};
use crate::model::AccessTokenId;
use crate::pb::RevokeAccessTokenRequest;

/// Take an access token back: it stops at its next exchange
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  dockpass revoke 0199f3c2-7a0e-7c55-9d3b-0c1f5b0d2a11\n\n\
    Only the identity that it was issued to can do this. What a registry already accepted stays valid for a minute or so.")]
pub(super) struct Revoke {
    /// The `id` of the access token
    #[arg(value_name = "ID")]
    id: AccessTokenId,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    caller: CallerArgs,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Revoked {
    access_token_id: String,
    expire_time: Option<jiff::Timestamp>,
}

impl Revoke {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let access_token_id = self.id.to_string();
        let message = RevokeAccessTokenRequest { access_token_id: access_token_id.clone() };
        let mut request = Request::new(message);
        let server = self.server.url(&process.environment)?;
        let authorization = self.caller.authorization(&server, process).await?;
        request.metadata_mut().insert("authorization", authorization);
        let mut client = self.server.connect(&process.environment).await?;
        let answer = client.revoke_access_token(request).await.map_err(Refusal::from)?.into_inner();
        let expire_time = answer.expire_time.as_ref().and_then(timestamp);
        self.output.print(process, &Revoked { access_token_id, expire_time }, |revoked| {
            let end = revoked.expire_time.map(to_the_second);
            let end = end.map(|end| format!("; it would have ended at {end}"));
            format!("{} is taken back{}", revoked.access_token_id, end.unwrap_or_default())
        })
    }
}
