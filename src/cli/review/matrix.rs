//! One token under review, with what it may do joined to what was done.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::cli::token::Shown;
use crate::cli::wire;
use crate::model::{RepositoryName, RepositoryPattern};
use crate::pb;

/// A token, its permissions and what of them was used.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Reviewed {
    pub(super) token: Shown,
    pub(super) permissions: Vec<Row>,
    /// What would have sufficed; empty when nothing was used.
    pub(super) sufficient: wire::Entries,
    /// What somebody should look at, one sentence each.
    pub(super) findings: Vec<String>,
}

/// What a token may do in one repository, or in those of a pattern.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Row {
    pub(super) repository: String,
    pub(super) actions: Vec<String>,
    /// Those of the actions that nobody used.
    pub(super) unused: Vec<String>,
    /// How often access was given for one of them.
    pub(super) uses: u64,
    pub(super) last_use_time: Option<Timestamp>,
    /// Who used them: subjects of identities, or names of passwords.
    pub(super) used_by: Vec<String>,
}

impl From<pb::TokenReview> for Reviewed {
    fn from(review: pb::TokenReview) -> Self {
        let unused = wire::entries(&review.unused);
        let rows = wire::entries(&review.permissions).into_iter().map(|(repository, actions)| {
            let unused = unused.get(&repository).cloned().unwrap_or_default();
            Row::new(repository, actions, unused, &review.uses)
        });
        let permissions = rows.collect();
        Self {
            permissions,
            sufficient: entries(&review.sufficient),
            token: Shown::from(review.token.unwrap_or_default()),
            findings: review.findings,
        }
    }
}

impl Reviewed {
    /// What would have sufficed, where it is less than what the scope map gives.
    pub(super) fn narrower(&self) -> Option<&wire::Entries> {
        let given = self.permissions.iter().map(|row| (&row.repository, &row.actions));
        let narrower = &self.sufficient;
        (!narrower.is_empty() && !narrower.iter().eq(given)).then_some(narrower)
    }
}

impl Row {
    fn new(
        repository: String,
        actions: Vec<String>,
        unused: Vec<String>,
        uses: &[pb::PermissionUse],
    ) -> Self {
        // a name that this version does not understand is compared as it is
        let pattern = repository.parse::<RepositoryPattern>().ok();
        let matches = |used: &pb::PermissionUse| match (
            &pattern,
            used.repository.parse::<RepositoryName>(),
        ) {
            (Some(pattern), Ok(name)) => pattern.matches(&name),
            _ => used.repository == repository,
        };
        let mut row = Self {
            repository: String::new(),
            actions,
            unused,
            uses: 0,
            last_use_time: None,
            used_by: Vec::new(),
        };
        let mut by: BTreeMap<String, u64> = BTreeMap::new();
        for used in uses.iter().filter(|used| matches(used)) {
            if !row.actions.contains(&wire::action_text(used.action)) {
                continue;
            }
            row.uses = row.uses.saturating_add(used.count);
            row.last_use_time = row.last_use_time.max(wire::optional_time(used.last_time.as_ref()));
            let count = by.entry(used.subject.clone()).or_default();
            *count = count.saturating_add(used.count);
        }
        row.used_by = by.into_keys().filter(|name| !name.is_empty()).collect();
        Self { repository, ..row }
    }
}

fn entries(permissions: &[pb::RepositoryPermission]) -> wire::Entries {
    let entry = |permission: &pb::RepositoryPermission| {
        let actions = permission.actions.iter().copied().map(wire::action_text);
        (permission.repository.clone(), actions.collect())
    };
    permissions.iter().map(entry).collect()
}
