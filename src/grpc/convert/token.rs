//! Tokens, and what is asked of them.

use super::credential::{new_credential, pb_credential, pb_password, slot};
use super::page;
use super::time::{duration, time, timestamp};
use super::violations::Violations;
use crate::broker::FieldViolation;
use crate::broker::evidence::LastUses;
use crate::broker::manage::{
    AddFederatedCredential, CreateToken, DeletePassword, DeleteToken, Etag, Expiry,
    GeneratePassword, GetToken, ListTokens, Page, RemoveFederatedCredential, TokenRef, UpdateToken,
};
use crate::model::{Status, Token};
use crate::pb;
use crate::pb::generate_password_request::Expiry as PbExpiry;

type Parsed<T> = Result<T, Vec<FieldViolation>>;

pub(in crate::grpc) fn list(message: &pb::ListTokensRequest) -> Parsed<ListTokens> {
    let mut violations = Violations::default();
    let registry = violations.check("registry", message.registry.parse());
    let scope_map = violations.optional("scope_map", &message.scope_map);
    let list = list_name(message);
    let page = page::request(&list, message.page_size, &message.page_token, &mut violations);
    let parsed = registry.zip(page);
    violations.finish(parsed.map(|(registry, page)| ListTokens { registry, scope_map, page }))
}

pub(in crate::grpc) fn listed(
    list: &pb::ListTokensRequest,
    page: &Page<Token>,
) -> pb::ListTokensResponse {
    pb::ListTokensResponse {
        tokens: page.items.iter().map(token).collect(),
        next_page_token: page::token(&list_name(list), page.next.as_deref()),
    }
}

fn list_name(message: &pb::ListTokensRequest) -> String {
    format!("tokens {} {}", message.registry, message.scope_map)
}

pub(in crate::grpc) fn get(message: &pb::GetTokenRequest) -> Parsed<GetToken> {
    let mut violations = Violations::default();
    let registry = violations.check("registry", message.registry.parse());
    let name = violations.check("name", message.name.parse());
    violations.finish(registry.zip(name).map(|(registry, name)| GetToken { registry, name }))
}

pub(in crate::grpc) fn create(message: pb::CreateTokenRequest) -> Parsed<CreateToken> {
    let mut violations = Violations::default();
    let parsed = parse_create(message.token.unwrap_or_default(), &mut violations);
    violations.finish(parsed)
}

fn parse_create(wanted: pb::Token, violations: &mut Violations) -> Option<CreateToken> {
    let registry = violations.check("token.registry", wanted.registry.parse());
    let name = violations.check("token.name", wanted.name.parse());
    let scope_map = violations.check("token.scope_map", wanted.scope_map.parse());
    let expire_time = time("token.expire_time", wanted.expire_time, violations);
    let status = match wanted.status() {
        pb::TokenStatus::Disabled => Some(Status::Disabled),
        pb::TokenStatus::Enabled => Some(Status::Enabled),
        pb::TokenStatus::Unspecified if wanted.status == 0 => Some(Status::Enabled),
        pb::TokenStatus::Unspecified => status(wanted.status, violations),
    };
    let mut federated_credentials = Vec::new();
    for (position, credential) in wanted.federated_credentials.into_iter().enumerate() {
        let field = format!("token.federated_credentials[{position}]");
        federated_credentials.extend(new_credential(&field, credential, violations));
    }
    Some(CreateToken {
        registry: registry?,
        name: name?,
        scope_map: scope_map?,
        status: status?,
        description: wanted.description,
        owner: wanted.owner,
        expire_time,
        federated_credentials,
    })
}

pub(in crate::grpc) fn update(message: pb::UpdateTokenRequest) -> Parsed<UpdateToken> {
    let mut violations = Violations::default();
    let parsed = parse_update(message, &mut violations);
    violations.finish(parsed)
}

fn parse_update(
    message: pb::UpdateTokenRequest,
    violations: &mut Violations,
) -> Option<UpdateToken> {
    let wanted = message.token.unwrap_or_default();
    let token =
        parse_token("token.", &wanted.registry, "name", &wanted.name, &wanted.etag, violations);
    let mut update = UpdateToken::none(token?);
    let paths = message.update_mask.unwrap_or_default().paths;
    if paths.is_empty() {
        violations.add("update_mask", "name at least one field to change");
    }
    for path in paths {
        match path.as_str() {
            "scope_map" => {
                update.scope_map = violations.check("token.scope_map", wanted.scope_map.parse());
            }
            "status" => update.status = status(wanted.status, violations),
            "description" => update.description = Some(wanted.description.clone()),
            "owner" => update.owner = Some(wanted.owner.clone()),
            "expire_time" => {
                update.expire_time =
                    time("token.expire_time", wanted.expire_time, violations).into();
            }
            other => violations.add(
                "update_mask",
                format!("`{other}` cannot be changed: use scope_map, status, description, owner or expire_time"),
            ),
        }
    }
    Some(update)
}

pub(in crate::grpc) fn delete(message: &pb::DeleteTokenRequest) -> Parsed<DeleteToken> {
    let mut violations = Violations::default();
    let pb::DeleteTokenRequest { registry, name, etag } = message;
    let token = parse_token("", registry, "name", name, etag, &mut violations);
    violations.finish(token.map(|token| DeleteToken { token }))
}

pub(in crate::grpc) fn generate_password(
    message: &pb::GeneratePasswordRequest,
) -> Parsed<GeneratePassword> {
    let mut violations = Violations::default();
    let pb::GeneratePasswordRequest { registry, token_name, etag, .. } = message;
    let token = parse_token("", registry, "token_name", token_name, etag, &mut violations);
    let slot = slot(message.password_name, &mut violations);
    let expiry = match message.expiry {
        None => Some(Expiry::Never),
        Some(PbExpiry::ExpireTime(end)) => {
            time("expire_time", Some(end), &mut violations).map(Expiry::At)
        }
        Some(PbExpiry::Lifetime(life)) => {
            violations.check("lifetime", duration(life)).map(Expiry::After)
        }
    };
    let parsed = token.zip(slot).zip(expiry);
    violations.finish(parsed.map(|((token, slot), expiry)| GeneratePassword {
        token,
        slot,
        expiry,
    }))
}

pub(in crate::grpc) fn delete_password(
    message: &pb::DeletePasswordRequest,
) -> Parsed<DeletePassword> {
    let mut violations = Violations::default();
    let pb::DeletePasswordRequest { registry, token_name, etag, .. } = message;
    let token = parse_token("", registry, "token_name", token_name, etag, &mut violations);
    let slot = slot(message.password_name, &mut violations);
    violations.finish(token.zip(slot).map(|(token, slot)| DeletePassword { token, slot }))
}

pub(in crate::grpc) fn add_credential(
    message: pb::AddFederatedCredentialRequest,
) -> Parsed<AddFederatedCredential> {
    let mut violations = Violations::default();
    let pb::AddFederatedCredentialRequest { registry, token_name, etag, federated_credential } =
        message;
    let token = parse_token("", &registry, "token_name", &token_name, &etag, &mut violations);
    let wanted = federated_credential.unwrap_or_default();
    let credential = new_credential("federated_credential", wanted, &mut violations);
    let parsed = token.zip(credential);
    violations
        .finish(parsed.map(|(token, credential)| AddFederatedCredential { token, credential }))
}

pub(in crate::grpc) fn remove_credential(
    message: &pb::RemoveFederatedCredentialRequest,
) -> Parsed<RemoveFederatedCredential> {
    let mut violations = Violations::default();
    let pb::RemoveFederatedCredentialRequest { registry, token_name, etag, .. } = message;
    let token = parse_token("", registry, "token_name", token_name, etag, &mut violations);
    let name = message.federated_credential_name.parse();
    let name = violations.check("federated_credential_name", name);
    violations
        .finish(token.zip(name).map(|(token, name)| RemoveFederatedCredential { token, name }))
}

/// A token, as operators get it.
pub(in crate::grpc) fn token(token: &Token) -> pb::Token {
    let status = match token.status {
        Status::Enabled => pb::TokenStatus::Enabled,
        Status::Disabled => pb::TokenStatus::Disabled,
    };
    pb::Token {
        registry: token.registry.to_string(),
        name: token.name.to_string(),
        uid: token.uid.to_string(),
        scope_map: token.scope_map.to_string(),
        status: status.into(),
        description: token.description.to_string(),
        owner: token.owner.to_string(),
        expire_time: token.expire_time.map(timestamp),
        passwords: token.passwords.iter().map(pb_password).collect(),
        federated_credentials: token.federated_credentials.iter().map(pb_credential).collect(),
        revision: token.revision,
        etag: Etag::of_token(token).to_string(),
        create_time: Some(timestamp(token.create_time)),
        update_time: Some(timestamp(token.update_time)),
        updated_by: token.updated_by.to_string(),
        last_use_time: None,
    }
}

/// A token with when it and its credentials were last used.
pub(in crate::grpc) fn used_token(own: &Token, last: &LastUses) -> pb::Token {
    let mut message = token(own);
    message.last_use_time = last.token.map(timestamp);
    for (password, last) in message.passwords.iter_mut().zip(&last.passwords) {
        password.last_use_time = last.map(timestamp);
    }
    for (credential, last) in message.federated_credentials.iter_mut().zip(&last.federated) {
        credential.last_use_time = last.map(timestamp);
    }
    message
}

fn status(value: i32, violations: &mut Violations) -> Option<Status> {
    match pb::TokenStatus::try_from(value) {
        Ok(pb::TokenStatus::Enabled) => Some(Status::Enabled),
        Ok(pb::TokenStatus::Disabled) => Some(Status::Disabled),
        Ok(pb::TokenStatus::Unspecified) | Err(_) => {
            violations.add("token.status", "use TOKEN_STATUS_ENABLED or TOKEN_STATUS_DISABLED");
            None
        }
    }
}

/// Which token: `prefix` stands before the names of the fields.
fn parse_token(
    prefix: &str,
    registry: &str,
    name_field: &str,
    name: &str,
    etag: &str,
    violations: &mut Violations,
) -> Option<TokenRef> {
    let registry = violations.check(format_args!("{prefix}registry"), registry.parse());
    let name = violations.check(format_args!("{prefix}{name_field}"), name.parse());
    let etag = violations.optional(&format!("{prefix}etag"), etag);
    Some(TokenRef { registry: registry?, name: name?, etag })
}
