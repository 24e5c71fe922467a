//! Which workload identities may act as a token.

use serde::{Deserialize, Serialize};

use super::{
    ClaimCondition, FederatedCredentialName, Glob, IssuerUrl, Lifetime, Members, Texts, exact,
};

/// A rule on a token that says which workload identities may act as it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct FederatedCredential {
    /// Its name inside the token.
    pub name: FederatedCredentialName,
    /// The issuer of the identity, compared byte for byte.
    pub issuer: IssuerUrl,
    /// The subject, if it is bound.
    pub subject: Option<SubjectRule>,
    /// Conditions on claims; all must hold.
    #[serde(deserialize_with = "exact::list")]
    pub claims: Box<[ClaimCondition]>,
    /// The longest lifetime it allows.
    pub max_lifetime: Option<Lifetime>,
    /// An access token ends no later than the identity it was given for.
    pub bind_to_identity_expiry: bool,
    /// The policy revision in which it was written or last changed; sessions rest on it.
    pub revision: u64,
}

impl FederatedCredential {
    pub(super) fn share_texts(&mut self, texts: &mut Texts) {
        texts.share(&mut self.name);
        texts.share(&mut self.issuer);
        for condition in &mut self.claims {
            condition.share_texts(texts);
        }
    }

    /// True when an identity with this issuer, subject and claims may act as the token.
    pub fn admits(&self, issuer: &str, subject: &str, claims: &impl Members) -> bool {
        self.issuer.as_str() == issuer
            && self.subject.as_ref().is_none_or(|rule| rule.matches(subject))
            && self.claims.iter().all(|condition| condition.holds(claims))
    }
}

/// What the subject must be.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SubjectRule(pub Glob);

impl SubjectRule {
    /// True when the subject fits.
    pub fn matches(&self, subject: &str) -> bool {
        self.0.matches(subject)
    }
}
