//! The federated credentials of a token: which workload identities may act as it.

use serde::Serialize;
use serde_json::Value;

use super::change::{Edit, Edited};
use super::present::Present;
use super::read::asked;
use super::target::Target;
use super::token_edit::TokenRef;
use crate::broker::Error;
use crate::model::{
    ClaimCondition, FederatedCredential, FederatedCredentialName, IssuerUrl, Lifetime, SubjectRule,
    Token,
};

/// A federated credential as it is asked for.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewCredential {
    /// Its name inside the token.
    pub name: FederatedCredentialName,
    /// The issuer of the identity.
    pub issuer: IssuerUrl,
    /// The subject, if it is bound.
    pub subject: Option<SubjectRule>,
    /// Conditions on claims.
    pub claims: Vec<ClaimCondition>,
    /// The longest lifetime that it allows.
    pub max_lifetime: Option<Lifetime>,
    /// An access token ends no later than the identity it was given for.
    pub bind_to_identity_expiry: bool,
}

impl NewCredential {
    /// The definition, made in a policy revision.
    pub(super) fn made(&self, revision: u64) -> FederatedCredential {
        FederatedCredential {
            name: self.name.clone(),
            issuer: self.issuer.clone(),
            subject: self.subject.clone(),
            claims: self.claims.as_slice().into(),
            max_lifetime: self.max_lifetime,
            bind_to_identity_expiry: self.bind_to_identity_expiry,
            revision,
        }
    }
}

/// A federated credential more.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AddFederatedCredential {
    /// Which token.
    pub token: TokenRef,
    /// What is added.
    pub credential: NewCredential,
}

impl Edit for AddFederatedCredential {
    type Output = Token;

    fn target(&self) -> Target<'_> {
        self.token.target("AddFederatedCredential")
    }

    fn field(&self) -> &'static str {
        "federated_credential"
    }

    fn asked(&self) -> Value {
        asked(self)
    }

    fn edit(&self, present: &Present) -> Result<Edited<Token>, Error> {
        self.token.edit(present, |token| {
            let name = &self.credential.name;
            if token.federated_credentials.iter().any(|own| own.name == *name) {
                return Err(Error::AlreadyExists(format!(
                    "token `{}` has a federated credential `{name}` already",
                    token.name
                )));
            }
            token.federated_credentials.push(self.credential.made(present.revision));
            Ok(())
        })
    }
}

/// A federated credential less.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RemoveFederatedCredential {
    /// Which token.
    pub token: TokenRef,
    /// What is taken away.
    pub name: FederatedCredentialName,
}

impl Edit for RemoveFederatedCredential {
    type Output = Token;

    fn target(&self) -> Target<'_> {
        self.token.target("RemoveFederatedCredential")
    }

    fn field(&self) -> &'static str {
        "token_name"
    }

    fn asked(&self) -> Value {
        asked(self)
    }

    fn edit(&self, present: &Present) -> Result<Edited<Token>, Error> {
        self.token.edit(present, |token| {
            let before = token.federated_credentials.len();
            token.federated_credentials.retain(|own| own.name != self.name);
            if token.federated_credentials.len() < before {
                return Ok(());
            }
            Err(Error::NotFound(format!(
                "token `{}` has no federated credential `{}`",
                token.name, self.name
            )))
        })
    }
}
