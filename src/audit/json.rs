//! Writes the JSON of an event without anything in between: it is written for every request.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use serde::Serialize;

/// How times are written: RFC 3339 in UTC, with as many digits as they have.
const TIMES: DateTimePrinter = DateTimePrinter::new();

/// A JSON object while it is written: members follow each other without white space.
pub(super) struct Object<'a> {
    json: &'a mut String,
    separator: char,
}

impl<'a> Object<'a> {
    pub(super) const fn begin(json: &'a mut String) -> Self {
        Self { json, separator: '{' }
    }

    /// Begins a member, whose value is to be written next. Its name needs no escaping.
    pub(super) fn member(&mut self, name: &str) -> &mut String {
        self.json.push(self.separator);
        self.separator = ',';
        self.json.push('"');
        self.json.push_str(name);
        self.json.push_str("\":");
        self.json
    }

    pub(super) fn text(&mut self, name: &str, value: &str) {
        text(self.member(name), value);
    }

    pub(super) fn number(&mut self, name: &str, value: u64) {
        // INVARIANT: a String takes everything
        write!(self.member(name), "{value}").ok();
    }

    /// Writes a member that is true; what is absent is false.
    pub(super) fn mark(&mut self, name: &str, value: bool) {
        if value {
            self.member(name).push_str("true");
        }
    }

    pub(super) fn time(&mut self, name: &str, value: Timestamp) {
        let json = self.member(name);
        json.push('"');
        // INVARIANT: a String takes everything
        TIMES.print_timestamp(&value, &mut *json).ok();
        json.push('"');
    }

    pub(super) fn value(&mut self, name: &str, value: &impl Serialize) {
        // INVARIANT: all our maps have texts as keys, so every value can be written
        let value = serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned());
        self.member(name).push_str(&value);
    }

    pub(super) fn end(self) {
        self.json.push_str(if self.separator == '{' { "{}" } else { "}" });
    }
}

/// Writes a text.
pub(super) fn text(json: &mut String, value: &str) {
    if value.bytes().any(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
        // INVARIANT: a text can be written
        json.push_str(&serde_json::to_string(value).unwrap_or_else(|_| "\"\"".to_owned()));
        return;
    }
    json.push('"');
    json.push_str(value);
    json.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_object_without_members_is_one() {
        let mut json = String::new();
        Object::begin(&mut json).end();
        assert_eq!(json, "{}");
    }

    proptest! {
        #[test]
        fn every_text_is_written_as_serde_does(value in any::<String>()) {
            let mut json = String::new();
            text(&mut json, &value);
            prop_assert_eq!(json, serde_json::to_string(&value).unwrap());
        }
    }
}
