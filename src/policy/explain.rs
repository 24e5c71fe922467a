//! The slow, exhaustive evaluation: it looks at every token, credential and entry, and says what it saw.
//!
//! It shares no code with the fast path but the conditions of the model: a test holds the two against each other.

mod credential;
mod token;
mod trace;

use jiff::Timestamp;

use self::token::{Examination, Outcome};
pub use self::trace::{CredentialTrace, EntryTrace, TokenTrace, Trace};
use super::{Context, RegistryBounds};
use crate::identity::Evidence;
use crate::model::{AccessRequest, Definitions};

/// The most tokens that a trace lists; those that are nearest to the request.
const MAX_TOKENS: usize = 100;

/// Evaluates a request by looking at everything.
pub fn explain(
    definitions: &Definitions,
    context: &Context,
    evidence: &Evidence,
    request: &AccessRequest,
    now: Timestamp,
) -> Trace {
    let Some(bounds) = context.registries.iter().find(|r| r.name == request.registry) else {
        return Trace::denied(format!("denied: there is no registry `{}`", request.registry));
    };
    let question = Question { definitions, bounds, evidence, request, now };
    let mut seen: Vec<Examination<'_>> = definitions
        .tokens
        .iter()
        .filter(|token| token.registry == request.registry)
        .map(|token| question.examine(token))
        .filter(|examination| examination.is_of_interest)
        .collect();
    seen.sort_by(|a, b| a.nearness().cmp(&b.nearness()));
    question.trace(&seen)
}

/// What is asked, of whom.
pub(super) struct Question<'a> {
    definitions: &'a Definitions,
    bounds: &'a RegistryBounds,
    evidence: &'a Evidence,
    request: &'a AccessRequest,
    now: Timestamp,
}

impl Question<'_> {
    fn trace(&self, seen: &[Examination<'_>]) -> Trace {
        let mut trace = Trace::denied(self.denial(seen));
        if let Some((examination, Outcome::Allowed { lifetime })) =
            seen.first().map(|examination| (examination, &examination.outcome))
        {
            trace.allowed = true;
            trace.token_name = Some(examination.token.name.to_string());
            trace.permissions = self.request.permissions.clone();
            trace.expire_time = self.now.saturating_add(lifetime.as_duration()).ok();
            trace.summary = format!(
                "allowed by token `{}` under scope map `{}` for {lifetime}",
                examination.token.name, examination.token.scope_map
            );
        }
        trace.omitted_tokens = seen.len().saturating_sub(MAX_TOKENS);
        trace.tokens = seen.iter().take(MAX_TOKENS).map(Examination::trace).collect();
        trace.tokens.sort_by(|a, b| a.name.cmp(&b.name));
        trace
    }

    fn denial(&self, seen: &[Examination<'_>]) -> String {
        let nearest = seen.first().filter(|nearest| nearest.outcome != Outcome::NotAdmitted);
        match (nearest, &self.request.token_name) {
            (Some(nearest), _) => {
                format!("denied: token `{}` {}", nearest.token.name, nearest.outcome)
            }
            (None, Some(named)) => {
                format!("denied: token `{named}` is not there or does not admit this identity")
            }
            (None, None) => "denied: no token admits this identity".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
