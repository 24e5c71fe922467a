//! Who has which role: the `[[admins]]` of the configuration.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::identity::{Identity, Kind, Workload};
use crate::model::{Accepted, ClaimCondition, ClaimName, Few, IssuerUrl, RegistryName};

/// What an operator may do. Each role may do what the ones before it may.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Read, and the audit trail.
    Viewer,
    /// Tokens and their credentials, not the boundaries.
    TokenEditor,
    /// Scope maps as well.
    Editor,
}

impl Role {
    /// The word in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::TokenEditor => "token-editor",
            Self::Editor => "editor",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One `[[admins]]` section.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AdminConfig {
    /// The issuer of the identity.
    pub issuer: IssuerUrl,
    /// The exact subject; it or an exact id claim is mandatory.
    pub subject: Option<String>,
    /// Accepted values of claims; all must hold.
    #[serde(default)]
    pub claims: BTreeMap<ClaimName, Few<Accepted>>,
    /// What the identity may do.
    pub role: Role,
    /// In which registry; absent = in all.
    pub registry: Option<RegistryName>,
}

impl AdminConfig {
    fn is(&self, workload: &Workload) -> bool {
        let holds = |(name, accepted): (&ClaimName, &Few<Accepted>)| {
            let condition = ClaimCondition { name: name.clone(), accepted: accepted.clone() };
            condition.holds(workload.claims())
        };
        self.issuer == *workload.issuer()
            && self.subject.as_ref().is_none_or(|subject| subject == workload.subject())
            && self.claims.iter().all(holds)
            // the configuration is checked as well; whoever is bound by nothing is nobody
            && (self.subject.is_some() || !self.claims.is_empty())
    }
}

/// All `[[admins]]`.
#[derive(Clone, Debug, Default)]
pub(in crate::broker) struct Admins(Vec<AdminConfig>);

impl Admins {
    pub(in crate::broker) const fn new(admins: Vec<AdminConfig>) -> Self {
        Self(admins)
    }

    /// The roles of an identity. Only a workload can have one: a token's password or a session never manages.
    pub(super) fn roles_of(&self, identity: &Identity) -> Roles {
        let mut roles = Roles::default();
        if let Kind::Workload(workload) = identity.kind() {
            for admin in self.0.iter().filter(|admin| admin.is(workload)) {
                roles.add(admin.role, admin.registry.as_ref());
            }
        }
        roles
    }
}

/// What somebody may do, and where.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Roles {
    everywhere: Option<Role>,
    own: BTreeMap<RegistryName, Role>,
}

impl Roles {
    /// One role in all registries.
    pub(super) fn everywhere(role: Role) -> Self {
        Self { everywhere: Some(role), own: BTreeMap::new() }
    }

    fn add(&mut self, role: Role, registry: Option<&RegistryName>) {
        match registry {
            None => self.everywhere = self.everywhere.max(Some(role)),
            Some(registry) => {
                let own = self.own.entry(registry.clone()).or_insert(role);
                *own = role.max(*own);
            }
        }
    }

    /// The role in a registry.
    pub(super) fn in_registry(&self, registry: &RegistryName) -> Option<Role> {
        self.own.get(registry).copied().max(self.everywhere)
    }

    /// The role in all registries, those that are not configured among them.
    pub(super) const fn in_all(&self) -> Option<Role> {
        self.everywhere
    }

    /// The highest role in any registry.
    pub(super) fn somewhere(&self) -> Option<Role> {
        self.own.values().copied().max().max(self.everywhere)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::identity::for_test as identities;

    const ISSUER: &str = "https://issuer.example.com";

    fn admin(text: &str) -> AdminConfig {
        toml::from_str(&format!("issuer = \"{ISSUER}\"\n{text}")).unwrap()
    }

    fn workload(issuer: &str, subject: &str, claims: Value) -> Identity {
        let Value::Object(claims): Value = claims else { panic!("claims are an object") };
        let end = "2026-11-22T06:00:00Z".parse().unwrap();
        identities::workload(issuer.parse().unwrap(), subject, Map::from_iter(claims), end)
    }

    fn roles(admins: &[AdminConfig], identity: &Identity) -> Roles {
        Admins::new(admins.to_vec()).roles_of(identity)
    }

    #[test]
    fn a_role_contains_the_ones_before_it() {
        assert!(Role::Viewer < Role::TokenEditor && Role::TokenEditor < Role::Editor);
    }

    #[test]
    fn g6_only_the_exact_identity_has_the_role() {
        let admins = [admin("subject = \"me\"\nrole = \"editor\"")];
        let me = workload(ISSUER, "me", json!({}));
        assert_eq!(roles(&admins, &me), Roles::everywhere(Role::Editor));
        for (issuer, subject) in [
            (ISSUER, "Me"),
            (ISSUER, "me "),
            (ISSUER, "*"),
            (ISSUER, ""),
            ("https://issuer.example.com/", "me"),
            ("https://other.example.com", "me"),
        ] {
            let other = workload(issuer, subject, json!({}));
            assert_eq!(roles(&admins, &other), Roles::default(), "{issuer} {subject}");
        }
        assert_eq!(roles(&admins, &identities::anonymous()), Roles::default());
    }

    #[test]
    fn g6_every_claim_must_hold() {
        let admins = [admin("role = \"viewer\"\nclaims.oid = [\"a-b\"]\nclaims.tid = [\"t\"]")];
        let holds = workload(ISSUER, "x", json!({"oid": "a-b", "tid": "t"}));
        assert_eq!(roles(&admins, &holds).somewhere(), Some(Role::Viewer));
        for claims in [json!({}), json!({"oid": "a-b"}), json!({"oid": "a-b", "tid": ["u"]})] {
            let other = workload(ISSUER, "x", claims);
            assert_eq!(roles(&admins, &other).somewhere(), None);
        }
    }

    #[test]
    fn g6_a_role_in_one_registry_is_none_in_another() {
        let admins = [
            admin("subject = \"me\"\nrole = \"viewer\""),
            admin("subject = \"me\"\nrole = \"editor\"\nregistry = \"local\""),
            admin("subject = \"me\"\nrole = \"token-editor\"\nregistry = \"local\""),
        ];
        let roles = roles(&admins, &workload(ISSUER, "me", json!({})));
        assert_eq!(roles.in_registry(&"local".parse().unwrap()), Some(Role::Editor));
        assert_eq!(roles.in_registry(&"other".parse().unwrap()), Some(Role::Viewer));
        assert_eq!(roles.in_all(), Some(Role::Viewer));
        assert_eq!(roles.somewhere(), Some(Role::Editor));
    }
}
