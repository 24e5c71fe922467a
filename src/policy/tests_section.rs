//! The `[[tests]]` of a policy file.

use jiff::Timestamp;

use super::Context;
use crate::model::Definitions;

/// One `[[tests]]` section.
#[derive(Clone, Debug)]
pub struct PolicyTest {}

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

/// Runs the tests against definitions.
pub fn run_tests(
    tests: &[PolicyTest],
    definitions: &Definitions,
    context: &Context,
    now: Timestamp,
) -> Vec<TestOutcome> {
    todo!()
}
