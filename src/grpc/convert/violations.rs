//! What is wrong with a message, field by field.

use std::fmt::Display;

use crate::broker::FieldViolation;

/// The fields that are not right, in the order of the message.
#[derive(Default)]
pub(super) struct Violations(Vec<FieldViolation>);

impl Violations {
    pub(super) fn add(&mut self, field: impl Display, description: impl Display) {
        self.0.push(violation(field, description));
    }

    pub(super) fn check<T, E: Display>(
        &mut self,
        field: impl Display,
        result: Result<T, E>,
    ) -> Option<T> {
        result.map_err(|error| self.add(field, error)).ok()
    }

    /// Parses a text; an empty one is none.
    pub(super) fn optional<T: std::str::FromStr<Err: Display>>(
        &mut self,
        field: &str,
        text: &str,
    ) -> Option<T> {
        if text.is_empty() { None } else { self.check(field, text.parse()) }
    }

    /// What was parsed, if nothing was wrong.
    pub(super) fn finish<T>(self, parsed: Option<T>) -> Result<T, Vec<FieldViolation>> {
        match parsed {
            Some(parsed) if self.0.is_empty() => Ok(parsed),
            Some(_) | None => Err(self.0),
        }
    }
}

pub(super) fn violation(field: impl Display, description: impl Display) -> FieldViolation {
    FieldViolation { field: field.to_string(), description: description.to_string() }
}
