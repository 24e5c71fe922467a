//! The `[[tests]]` of a policy file.

use jiff::{SignedDuration, Timestamp};

use super::file::{Expectation, Test};
use super::{Context, explain};
use crate::identity::Evidence;
use crate::model::{
    AccessRequest, Definitions, Form, Permission, Permissions, RegistryName, Reuse, TokenName,
};

/// One `[[tests]]` section.
#[derive(Clone, Debug)]
pub struct PolicyTest(Test);

impl From<Test> for PolicyTest {
    fn from(test: Test) -> Self {
        Self(test)
    }
}

/// What came of one test.
#[derive(Clone, Debug)]
pub struct TestOutcome {
    /// The test, in words: who asks for what.
    pub name: String,
    /// Whether what was expected came.
    pub passed: bool,
    /// What came, and why.
    pub detail: String,
}

/// Runs the tests against definitions, as if each identity token had an hour left at `now`.
pub fn run_tests(
    tests: &[PolicyTest],
    definitions: &Definitions,
    context: &Context,
    now: Timestamp,
) -> Vec<TestOutcome> {
    tests.iter().map(|test| test.run(definitions, context, now)).collect()
}

impl PolicyTest {
    /// The registry of its request.
    pub(super) const fn registry(&self) -> &RegistryName {
        &self.0.request.registry
    }

    fn run(&self, definitions: &Definitions, context: &Context, now: Timestamp) -> TestOutcome {
        let trace = explain(definitions, context, &self.evidence(now), &self.request(), now);
        let came = if trace.allowed { Expectation::Allow } else { Expectation::Deny };
        let token = self.0.token_name.as_ref().map(TokenName::as_str);
        let by_wanted_token = token.is_none() || token == trace.token_name.as_deref();
        TestOutcome {
            name: self.name(),
            passed: came == self.0.expect && by_wanted_token,
            detail: trace.summary,
        }
    }

    fn name(&self) -> String {
        let (caller, request) = (&self.0.caller, &self.0.request);
        format!(
            "{} of {} asks {} for {} on {}",
            caller.subject, caller.issuer, request.registry, request.actions, request.repository
        )
    }

    fn evidence(&self, now: Timestamp) -> Evidence {
        Evidence::Workload {
            issuer: self.0.caller.issuer.as_str().to_owned(),
            subject: self.0.caller.subject.clone(),
            claims: self.0.caller.claims.clone(),
            expire_time: now.saturating_add(SignedDuration::from_hours(1)).unwrap_or(now),
        }
    }

    fn request(&self) -> AccessRequest {
        let asked = &self.0.request;
        let permission =
            Permission { repository: asked.repository.clone(), actions: asked.actions };
        AccessRequest {
            registry: asked.registry.clone(),
            permissions: Permissions::from_iter([permission]),
            lifetime: asked.lifetime,
            token_name: asked.token_name.clone(),
            form: Form::Password,
            reuse: Reuse::Never,
        }
    }
}
