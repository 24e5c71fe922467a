//! The whole policy as one file: taken, compared, applied.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use super::change::{Edit, Edited};
use super::present::{Present, no_registry};
use super::read::{Read, Reading};
use super::role::Role;
use super::target::{Place, Target};
use super::{Difference, Rest};
use crate::broker::evidence::LostUses;
use crate::broker::{Error, FieldViolation};
use crate::model::{DefinitionChange, Definitions, RegistryName, TokenUid};
use crate::policy::{PolicyFile, Snapshot, run_tests};

/// The policy as a file.
#[derive(Clone, Debug)]
pub struct ExportPolicy {
    /// Only of this registry; none = of all in which the operator has a role.
    pub registry: Option<RegistryName>,
}

/// A policy file, and the revision that it is of.
#[derive(Clone, Debug)]
pub struct Exported {
    /// The file.
    pub text: String,
    /// The policy revision.
    pub revision: u64,
}

impl Read for ExportPolicy {
    type Output = Exported;

    fn target(&self) -> Target<'_> {
        let place = self.registry.as_ref().map_or(Place::Somewhere, Place::Registry);
        Target { method: "ExportPolicy", role: Role::Viewer, place, definition: None }
    }

    async fn read(&self, reading: &Reading<'_>) -> Result<Exported, Error> {
        let snapshot = reading.snapshot_shared();
        if let Some(missing) = self.registry.as_ref().filter(|own| !snapshot.has_registry(own)) {
            return Err(no_registry(missing));
        }
        let (wanted, authority) = (self.registry.clone(), reading.authority.clone());
        blocking(move || {
            let of = |own: &RegistryName| wanted.as_ref().is_none_or(|wanted| wanted == own);
            let shown = |own: &RegistryName| of(own) && authority.role_in(own).is_some();
            let mut definitions = snapshot.definitions();
            definitions.scope_maps.retain(|map| shown(&map.registry));
            definitions.tokens.retain(|token| shown(&token.registry));
            let text = PolicyFile::render(&definitions);
            Ok(Exported { text, revision: snapshot.revision() })
        })
        .await
    }
}

/// What makes a policy of a file.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The file.
    pub text: Arc<str>,
    /// What becomes of definitions that it does not name.
    pub rest: Rest,
    /// The policy revision that it was made from; none = whatever.
    pub base_revision: Option<u64>,
}

/// The policy before and after a file.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The definitions in force.
    pub before: Definitions,
    /// What the file makes of them.
    pub after: Definitions,
    /// The policy after, compiled.
    pub snapshot: Snapshot,
    changes: Vec<DefinitionChange>,
}

impl Candidate {
    /// Compares the file with the definitions in force. What it makes of them compiles, and passes the file's own tests.
    ///
    /// # Errors
    /// The role is missing in a registry that the file speaks of, or in which something differs: who may not look there learns
    /// nothing by a file either. What is wrong with the file; [`Error::EtagMismatch`] when the policy is not the one that it was
    /// made from.
    pub fn compare(&self, present: &Present, role: Role) -> Result<Compared, Error> {
        let in_force = &present.snapshot;
        let file = PolicyFile::parse(&self.text).map_err(|error| unfit(error.problems))?;
        for registry in file.registries() {
            present.authority.require(role, Place::Registry(registry))?;
        }
        if self.base_revision.is_some_and(|base| base != in_force.revision()) {
            return Err(Error::EtagMismatch);
        }
        let revision = present.revision.saturating_sub(1);
        let before = Definitions { revision, ..in_force.definitions() };
        let Present { now, authority, .. } = present;
        let mut new_uid = || TokenUid::new(*now);
        let after = file.onto_keeping(self.rest, &before, *now, authority.actor(), &mut new_uid);
        let changes = DefinitionChange::between(&before, &after);
        for change in &changes {
            present.authority.require(role, Place::Registry(registry_of(change)))?;
        }
        let snapshot = in_force
            .apply(changes.clone(), present.revision)
            .map_err(|error| unfit(error.problems))?;
        let outcomes = run_tests(&file.tests, &after, in_force.context(), *now);
        let failing = outcomes.into_iter().filter(|outcome| !outcome.passed);
        let failing: Vec<_> = failing
            .map(|outcome| format!("a test fails: {}: {}", outcome.name, outcome.detail))
            .collect();
        if !failing.is_empty() {
            return Err(unfit(failing));
        }
        Ok(Compared { before, after, snapshot, changes })
    }

    /// What differs.
    fn differences(
        &self,
        present: &Present,
        role: Role,
    ) -> Result<(Compared, Vec<Difference>), Error> {
        let compared = self.compare(present, role)?;
        let differences = Difference::between(&compared.before, &compared.after);
        Ok((compared, differences))
    }
}

const fn registry_of(change: &DefinitionChange) -> &RegistryName {
    match change {
        DefinitionChange::ScopeMapPut(map) => &map.registry,
        DefinitionChange::TokenPut(token) => &token.registry,
        DefinitionChange::ScopeMapGone { registry, .. }
        | DefinitionChange::TokenGone { registry, .. } => registry,
    }
}

/// What applying a file would change; nothing is changed.
#[derive(Clone, Debug)]
pub struct PlanPolicy {
    /// The file.
    pub candidate: Candidate,
    /// How far to look back for uses of what would go.
    pub usage_window: Duration,
}

/// What a file changes, or would change.
#[derive(Clone, Debug)]
pub struct Planned {
    /// What differs, scope maps first, by registry and name.
    pub changes: Vec<Difference>,
    /// Of a plan: for each change the uses of what it would take away; absent = the trail was too long to look.
    pub uses: Vec<Option<LostUses>>,
    /// Of a plan: the revision that it was compared with. Of a change: the one that it made, or that is in force already.
    pub revision: u64,
}

impl Read for PlanPolicy {
    type Output = Planned;

    fn target(&self) -> Target<'_> {
        target("PlanPolicy", Role::Viewer)
    }

    async fn read(&self, reading: &Reading<'_>) -> Result<Planned, Error> {
        let (present, candidate) = (reading.present(), self.candidate.clone());
        let revision = present.snapshot.revision();
        let (compared, changes) =
            blocking(move || candidate.differences(&present, Role::Viewer)).await?;
        let after = Arc::new(compared.snapshot);
        let uses = reading.uses_lost_by(&changes, after, self.usage_window).await?;
        Ok(Planned { changes, uses, revision })
    }
}

/// The policy as a file says: all of it or nothing.
#[derive(Clone, Debug)]
pub struct ApplyPolicy {
    /// The file.
    pub candidate: Candidate,
}

impl Edit for ApplyPolicy {
    type Output = Planned;

    fn target(&self) -> Target<'_> {
        target("ApplyPolicy", Role::Editor)
    }

    fn field(&self) -> &'static str {
        FILE
    }

    /// Not the file: it may be very large, and what it changes is recorded.
    fn asked(&self) -> Value {
        let Candidate { text, rest, base_revision } = &self.candidate;
        json!({ "bytes": text.len(), "rest": rest, "baseRevision": base_revision })
    }

    fn edit(&self, present: &Present) -> Result<Edited<Planned>, Error> {
        let (compared, differences) = self.candidate.differences(present, Role::Editor)?;
        let changes = compared.changes;
        let revision =
            if changes.is_empty() { present.snapshot.revision() } else { present.revision };
        Ok(Edited { changes, output: Planned { changes: differences, uses: Vec::new(), revision } })
    }
}

/// The right to send a policy file: asked before the file is read.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct SendPolicyFile {
    /// The method that takes the file.
    pub method: &'static str,
    /// The role that it needs.
    pub role: Role,
}

impl Read for SendPolicyFile {
    type Output = ();

    fn target(&self) -> Target<'_> {
        target(self.method, self.role)
    }

    async fn read(&self, _: &Reading<'_>) -> Result<(), Error> {
        Ok(())
    }
}

/// The field that problems of a file are told of.
const FILE: &str = "chunk";

/// Somewhere: in which registries the role is needed is in the file.
fn target(method: &'static str, role: Role) -> Target<'static> {
    Target { method, role, place: Place::Somewhere, definition: None }
}

fn unfit(problems: Vec<String>) -> Error {
    let violation = |description| FieldViolation { field: FILE.to_owned(), description };
    Error::InvalidRequest(problems.into_iter().map(violation).collect())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    // the text of a panic could hold what was being worked on
    let ended = |_panic| Err(Error::Internal("the work on a policy file panicked".to_owned()));
    tokio::task::spawn_blocking(work).await.unwrap_or_else(ended)
}
