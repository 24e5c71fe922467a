//! What is appended together with events.

use jiff::Timestamp;
use sqlx::Arguments;
use sqlx::error::BoxDynError;
use sqlx::postgres::PgArguments;

use crate::model::{AccessTokenId, DefinitionChange, ScopeMap, Token};
use crate::store::Error;
use crate::store::column::{nanoseconds, signed};
use crate::store::definition::{Definition, write};

const APPEND: &str = "SELECT append_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const REVOKE: &str =
    "SELECT revoke_access_token($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
const CHANGE: &str = "SELECT change_definitions($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)";

/// What one function of the database does.
#[derive(Debug)]
pub(super) enum Deed {
    /// Nothing but the events.
    Append,
    /// An access token is taken back.
    Revocation { id: AccessTokenId, until: i64 },
    /// Definitions change.
    Definitions(Box<Changed>),
}

/// Definitions that change, in columns.
#[derive(Debug, Default)]
pub(super) struct Changed {
    revision: i64,
    at: i64,
    actor: String,
    kinds: Vec<&'static str>,
    registries: Vec<String>,
    names: Vec<String>,
    bodies: Vec<Option<String>>,
    ties: Vec<Option<String>>,
}

impl Deed {
    /// An access token is taken back, which ends then by itself.
    pub(super) fn revocation(id: AccessTokenId, expire_time: Timestamp) -> Self {
        Self::Revocation { id, until: nanoseconds(expire_time) }
    }

    /// The function that does it.
    pub(super) const fn sql(&self) -> &'static str {
        match self {
            Self::Append => APPEND,
            Self::Revocation { .. } => REVOKE,
            Self::Definitions(_) => CHANGE,
        }
    }

    /// True when it takes as long as much is changed.
    pub(super) const fn is_much(&self) -> bool {
        matches!(self, Self::Definitions(_))
    }

    /// The function's first arguments, which come before those of the events.
    pub(super) fn arguments(&self) -> Result<PgArguments, BoxDynError> {
        let mut arguments = PgArguments::default();
        match self {
            Self::Append => {}
            Self::Revocation { id, until } => {
                arguments.add(id.as_bytes().as_slice())?;
                arguments.add(until)?;
            }
            Self::Definitions(changed) => changed.add_to(&mut arguments)?,
        }
        Ok(arguments)
    }
}

impl Changed {
    /// The changes that make a revision.
    pub(super) fn new(
        revision: u64,
        changes: &[DefinitionChange],
        actor: String,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let mut changed =
            Self { revision: signed(revision), at: nanoseconds(now), actor, ..Self::default() };
        for change in changes {
            changed.add(change)?;
        }
        Ok(changed)
    }

    fn add_to(&self, arguments: &mut PgArguments) -> Result<(), BoxDynError> {
        arguments.add(self.revision)?;
        arguments.add(self.at)?;
        arguments.add(&self.actor)?;
        arguments.add(&self.kinds)?;
        arguments.add(&self.registries)?;
        arguments.add(&self.names)?;
        arguments.add(&self.bodies)?;
        arguments.add(&self.ties)
    }

    fn add(&mut self, change: &DefinitionChange) -> Result<(), Error> {
        match change {
            DefinitionChange::ScopeMapPut(map) => {
                self.push::<ScopeMap>(map.key(), Some(write(&**map)?), None);
            }
            DefinitionChange::ScopeMapGone { registry, name } => {
                self.push::<ScopeMap>((registry.as_str(), name.as_str()), None, None);
            }
            DefinitionChange::TokenPut(token) => {
                let tie = token.scope_map.to_string();
                self.push::<Token>(token.key(), Some(write(&**token)?), Some(tie));
            }
            DefinitionChange::TokenGone { registry, name } => {
                self.push::<Token>((registry.as_str(), name.as_str()), None, None);
            }
        }
        Ok(())
    }

    fn push<T: Definition>(
        &mut self,
        (registry, name): (&str, &str),
        body: Option<String>,
        tie: Option<String>,
    ) {
        self.kinds.push(T::TABLE);
        self.registries.push(registry.to_owned());
        self.names.push(name.to_owned());
        self.bodies.push(body);
        self.ties.push(tie);
    }
}
