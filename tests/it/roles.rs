//! Every method of every service, asked by everybody: who has not the role is refused.

use std::collections::{BTreeMap, BTreeSet};

use bytes::{Buf, BufMut};
use dockpass::pb;
use futures_util::stream;
use prost::Message;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

use crate::support::{Running, Site, basic, bearer};

/// What a method needs.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Needs {
    /// Its callers are workloads: roles are nothing to it.
    NoRole,
    Viewer,
    TokenEditor,
    Editor,
}

/// Where it needs it: an operator of another registry is refused, or not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    Local,
    Anywhere,
    /// In all registries.
    Everywhere,
}

/// A rule for each method that is served, with a message for the registry `local`.
fn rules() -> BTreeMap<String, (Needs, Place, Vec<u8>)> {
    let access = ["IssueAccessToken", "CheckAccess", "RevokeAccessToken"]
        .map(|method| row("AccessService", method, Needs::NoRole, Vec::new()));
    let rules = access.into_iter().chain(scope_maps()).chain(tokens()).chain(registries());
    let mut rules: BTreeMap<_, _> = rules
        .chain(policy())
        .chain(audit())
        .map(|(path, needs, message)| (path, (needs, Place::Local, message)))
        .collect();
    for anywhere in [
        "RegistryService/ListRegistries",
        "PolicyService/PlanPolicy",
        "PolicyService/ReplayPolicy",
        "AuditService/GetAuditEvent",
        "AuditService/ExplainDecision",
    ] {
        rules.get_mut(&format!("/dockpass.v1.{anywhere}")).unwrap().1 = Place::Anywhere;
    }
    rules.get_mut("/dockpass.v1.AuditService/VerifyAuditLog").unwrap().1 = Place::Everywhere;
    rules
}

type Row = (String, Needs, Vec<u8>);

fn row(service: &str, method: &str, needs: Needs, message: Vec<u8>) -> Row {
    (format!("/dockpass.v1.{service}/{method}"), needs, message)
}

fn scope_maps() -> Vec<Row> {
    let (registry, name) = (|| "local".to_owned(), || "missing-map".to_owned());
    let map = || Some(pb::ScopeMap { registry: registry(), name: name(), ..Default::default() });
    let mask = Some(prost_types::FieldMask { paths: vec!["owner".to_owned()] });
    let update =
        pb::UpdateScopeMapRequest { scope_map: map(), update_mask: mask, ..Default::default() };
    let list = pb::ListScopeMapsRequest { registry: registry(), ..Default::default() };
    let get = pb::GetScopeMapRequest { registry: registry(), name: name() };
    let delete =
        pb::DeleteScopeMapRequest { registry: registry(), name: name(), ..Default::default() };
    let preview =
        pb::PreviewScopeMapUpdateRequest { update: Some(update.clone()), usage_window: None };
    let create = pb::CreateScopeMapRequest { scope_map: map() };
    let row = |method, needs, message| row("ScopeMapService", method, needs, message);
    vec![
        row("ListScopeMaps", Needs::Viewer, list.encode_to_vec()),
        row("GetScopeMap", Needs::Viewer, get.encode_to_vec()),
        row("CreateScopeMap", Needs::Editor, create.encode_to_vec()),
        row("UpdateScopeMap", Needs::Editor, update.encode_to_vec()),
        row("DeleteScopeMap", Needs::Editor, delete.encode_to_vec()),
        row("PreviewScopeMapUpdate", Needs::Viewer, preview.encode_to_vec()),
    ]
}

fn tokens() -> Vec<Row> {
    let (registry, name) = (|| "local".to_owned(), || "missing-token".to_owned());
    let token = pb::Token {
        registry: registry(),
        name: name(),
        scope_map: "missing-map".to_owned(),
        ..Default::default()
    };
    let mask = Some(prost_types::FieldMask { paths: vec!["owner".to_owned()] });
    let update = pb::UpdateTokenRequest { token: Some(token.clone()), update_mask: mask };
    let list = pb::ListTokensRequest { registry: registry(), ..Default::default() };
    let get = pb::GetTokenRequest { registry: registry(), name: name() };
    let create = pb::CreateTokenRequest { token: Some(token) };
    let delete =
        pb::DeleteTokenRequest { registry: registry(), name: name(), ..Default::default() };
    let generate = pb::GeneratePasswordRequest {
        registry: registry(),
        token_name: name(),
        password_name: 1,
        ..Default::default()
    };
    let forget = pb::DeletePasswordRequest {
        registry: registry(),
        token_name: name(),
        password_name: 1,
        ..Default::default()
    };
    let credential = pb::FederatedCredential {
        name: "ci".to_owned(),
        issuer: "https://issuer.example".to_owned(),
        subject: "job".to_owned(),
        ..Default::default()
    };
    let add = pb::AddFederatedCredentialRequest {
        registry: registry(),
        token_name: name(),
        federated_credential: Some(credential),
        ..Default::default()
    };
    let remove = pb::RemoveFederatedCredentialRequest {
        registry: registry(),
        token_name: name(),
        federated_credential_name: "ci".to_owned(),
        ..Default::default()
    };
    let row = |method, needs, message| row("TokenService", method, needs, message);
    vec![
        row("ListTokens", Needs::Viewer, list.encode_to_vec()),
        row("GetToken", Needs::Viewer, get.encode_to_vec()),
        row("CreateToken", Needs::TokenEditor, create.encode_to_vec()),
        row("UpdateToken", Needs::TokenEditor, update.encode_to_vec()),
        row("DeleteToken", Needs::TokenEditor, delete.encode_to_vec()),
        row("GeneratePassword", Needs::TokenEditor, generate.encode_to_vec()),
        row("DeletePassword", Needs::TokenEditor, forget.encode_to_vec()),
        row("AddFederatedCredential", Needs::TokenEditor, add.encode_to_vec()),
        row("RemoveFederatedCredential", Needs::TokenEditor, remove.encode_to_vec()),
    ]
}

fn registries() -> Vec<Row> {
    let name = || "local".to_owned();
    let row = |method, message| row("RegistryService", method, Needs::Viewer, message);
    vec![
        row("ListRegistries", pb::ListRegistriesRequest::default().encode_to_vec()),
        row("GetRegistry", pb::GetRegistryRequest { name: name() }.encode_to_vec()),
        row("CheckRegistry", pb::CheckRegistryRequest { name: name() }.encode_to_vec()),
    ]
}

fn policy() -> Vec<Row> {
    let export = pb::ExportPolicyRequest { registry: "local".to_owned() };
    let chunk = b"[[scope_maps]]\nregistry = 'local'\nname = 'by-file'\npermissions.a = ['pull']";
    let apply = pb::ApplyPolicyRequest { options: None, chunk: chunk.to_vec() };
    let row = |method, needs, message| row("PolicyService", method, needs, message);
    vec![
        row("ExportPolicy", Needs::Viewer, export.encode_to_vec()),
        row("PlanPolicy", Needs::Viewer, pb::PlanPolicyRequest::default().encode_to_vec()),
        row("ApplyPolicy", Needs::Editor, apply.encode_to_vec()),
        row("ReplayPolicy", Needs::Viewer, pb::ReplayPolicyRequest::default().encode_to_vec()),
    ]
}

fn audit() -> Vec<Row> {
    let id = || "0199f3c2-7a0e-7c55-9d3b-0c1f5b0d2a11".to_owned();
    let filter = Some(pb::AuditFilter { registry: "local".to_owned(), ..Default::default() });
    let list = pb::ListAuditEventsRequest { filter: filter.clone(), ..Default::default() };
    // who may watch gets what was recorded of those who may not
    let watch = pb::WatchAuditEventsRequest { filter, after_sequence: 1, ..Default::default() };
    let review = pb::ReviewAccessRequest { registry: "local".to_owned(), ..Default::default() };
    let row = |method, message| row("AuditService", method, Needs::Viewer, message);
    vec![
        row("ListAuditEvents", list.encode_to_vec()),
        row("WatchAuditEvents", watch.encode_to_vec()),
        row("GetAuditEvent", pb::GetAuditEventRequest { id: id() }.encode_to_vec()),
        row("VerifyAuditLog", pb::VerifyAuditLogRequest::default().encode_to_vec()),
        row("ExplainDecision", pb::ExplainDecisionRequest { decision_id: id() }.encode_to_vec()),
        row("ReviewAccess", review.encode_to_vec()),
    ]
}

/// The paths of all methods of the service definitions.
fn methods() -> BTreeSet<String> {
    let set = prost_types::FileDescriptorSet::decode(pb::DESCRIPTORS).unwrap();
    let ours = set.file.into_iter().filter(|file| file.package() == "dockpass.v1");
    ours.flat_map(|file| file.service)
        .flat_map(|service| {
            let name = service.name().to_owned();
            service.method.into_iter().map(move |m| format!("/dockpass.v1.{name}/{}", m.name()))
        })
        .collect()
}

#[tokio::test]
async fn g6_every_method_that_is_served_has_a_rule() {
    let site = Site::new().await;
    let broker = site.start().await;
    let (rules, methods) = (rules(), methods());
    assert!(rules.keys().all(|path| methods.contains(path)));
    for path in methods.iter().filter(|path| !rules.contains_key(*path)) {
        let code = ask(&broker, path, bearer("", Vec::new())).await.map_err(|status| status.code());
        assert_eq!(code, Err(Code::Unimplemented), "{path} is served, and has no rule here");
    }
}

#[tokio::test]
async fn g6_who_has_not_the_role_is_refused_by_every_method() {
    let site = Site::new().await.with_operators();
    let password = site.password_of("field-vendor").await;
    let broker = site.start().await;
    let managed = rules().into_iter().filter(|(_, (needs, ..))| *needs != Needs::NoRole);
    for (path, (needs, place, message)) in managed {
        let asked = async |request| ask(&broker, &path, request).await.err();
        let missing = asked(bearer("", message.clone())).await.unwrap();
        assert_eq!(reason(&missing), "IDENTITY_MISSING", "{path}");
        let mut by_password = bearer("", message.clone());
        let credentials = basic("field-vendor", &password).parse().unwrap();
        by_password.metadata_mut().insert("authorization", credentials);
        let refused = asked(by_password).await.unwrap();
        assert_eq!(
            (refused.code(), reason(&refused)),
            (Code::PermissionDenied, "ROLE_REQUIRED".to_owned()),
            "{path}"
        );
        for (subject, role, at) in [
            ("job", Needs::NoRole, Place::Anywhere),
            ("viewer", Needs::Viewer, Place::Anywhere),
            ("local-token-editor", Needs::TokenEditor, Place::Anywhere),
            ("editor", Needs::Editor, Place::Anywhere),
            ("other-editor", Needs::Editor, Place::Local),
        ] {
            let outcome = asked(bearer(&site.identity(subject), message.clone())).await;
            let is_near = at == Place::Anywhere || place == Place::Anywhere;
            let is_partial = place == Place::Everywhere && subject.starts_with("local-");
            let allowed = role >= needs && is_near && !is_partial;
            let word = outcome.as_ref().map(reason);
            let refused = word.as_deref() == Some("ROLE_REQUIRED");
            assert_eq!(!refused, allowed, "{path} by {subject}: {outcome:?}");
        }
    }
}

fn reason(status: &Status) -> String {
    status.get_error_details().error_info().unwrap().reason.clone()
}

/// Sends one message, whatever the kind of the method, and waits for the first of the answer.
async fn ask(broker: &Running<'_>, path: &str, request: Request<Vec<u8>>) -> Result<(), Status> {
    let mut client = tonic::client::Grpc::new(broker.channel.clone());
    client.ready().await.unwrap();
    let (metadata, extensions, message) = request.into_parts();
    let request = Request::from_parts(metadata, extensions, stream::iter([message]));
    let path: PathAndQuery = path.parse().unwrap();
    let answer = client.streaming(request, path, Raw).await?;
    answer.into_inner().message().await.map(drop)
}

/// Messages as bytes.
#[derive(Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, bytes: &mut EncodeBuf<'_>) -> Result<(), Status> {
        bytes.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut item = vec![0; bytes.remaining()];
        bytes.copy_to_slice(&mut item);
        Ok(Some(item))
    }
}
