//! What an update of a scope map would do, before it is made.

use std::collections::BTreeMap;
use std::time::Duration;

use super::present::find_scope_map;
use super::read::{Read, Reading};
use super::role::Role;
use super::scope_map_edits::UpdateScopeMap;
use super::target::{Noun, Place, Target};
use crate::broker::Error;
use crate::broker::evidence::{Changed, Uses};
use crate::model::{ActionSet, RepositoryPattern, ScopeMap, Token, TokenName};

/// What an update would do; it is not made.
#[derive(Clone, Debug)]
pub struct PreviewScopeMapUpdate {
    /// The update.
    pub update: UpdateScopeMap,
    /// How far to look back for uses.
    pub usage_window: Duration,
}

/// What an update would do.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The scope map as it would be.
    pub after: ScopeMap,
    /// What its entries would have that they have not now.
    pub added: BTreeMap<RepositoryPattern, ActionSet>,
    /// What its entries would no longer have.
    pub removed: BTreeMap<RepositoryPattern, ActionSet>,
    /// The tokens that are tied to it.
    pub tokens: Vec<TokenName>,
    /// Who used lately what would go.
    pub lost: Uses,
}

impl Read for PreviewScopeMapUpdate {
    type Output = Preview;

    fn target(&self) -> Target<'_> {
        Target {
            method: "PreviewScopeMapUpdate",
            role: Role::Viewer,
            place: Place::Registry(&self.update.registry),
            definition: Some((Noun::ScopeMap, self.update.name.as_str())),
        }
    }

    async fn read(&self, reading: &Reading<'_>) -> Result<Preview, Error> {
        let UpdateScopeMap { registry, name, .. } = &self.update;
        let before = find_scope_map(reading.snapshot(), registry, name.as_str())?;
        let after = self.update.applied_to(before)?;
        let tokens = reading.snapshot().tokens_of(registry, name.as_str());
        let changed = Changed::ScopeMap(Box::new(before.clone()), Some(Box::new(after.clone())));
        let lost = reading.lost_uses(changed, self.usage_window).await?;
        Ok(Preview {
            added: lacking(&after.permissions, &before.permissions),
            removed: lacking(&before.permissions, &after.permissions),
            tokens: tokens.into_iter().map(|token: &Token| token.name.clone()).collect(),
            after,
            lost,
        })
    }
}

/// What `these` have and `those` lack, entry by entry.
fn lacking(
    these: &BTreeMap<RepositoryPattern, ActionSet>,
    those: &BTreeMap<RepositoryPattern, ActionSet>,
) -> BTreeMap<RepositoryPattern, ActionSet> {
    let lacking = these.iter().map(|(pattern, actions)| {
        let others = those.get(pattern).copied().unwrap_or_default();
        (pattern.clone(), actions.difference(others))
    });
    lacking.filter(|(_, actions)| !actions.is_empty()).collect()
}
