//! The two forms of results: tables for people, JSON for scripts.

use clap::{Args, ValueEnum};
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use super::{Failure, Process};

/// The form of the result.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct OutputArgs {
    /// The form of the result
    #[arg(long, short, value_enum, default_value_t = Format::Table)]
    output: Format,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Format {
    /// For people
    Table,
    /// For scripts: stable keys in lowerCamelCase
    Json,
}

impl OutputArgs {
    /// Prints a result as JSON, or as `table` makes it.
    pub(super) fn print<T: Serialize + ?Sized>(
        self,
        process: &mut Process,
        result: &T,
        table: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        match self.output {
            Format::Table => process.print(&plain_lines(&table(result))),
            Format::Json => process.print(&json(result)?),
        }
    }
}

impl OutputArgs {
    /// Prints one of many results as it comes: a line of JSON, or the line that `line` makes of it.
    pub(super) fn print_line<T: Serialize + ?Sized>(
        self,
        process: &mut Process,
        result: &T,
        line: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        match self.output {
            Format::Table => process.print(&plain(&line(result))),
            Format::Json => process.print(
                &serde_json::to_string(result)
                    .map_err(|error| Failure::failed(error.to_string()))?,
            ),
        }
    }
}

/// A result as JSON for people and scripts alike.
pub(super) fn json<T: Serialize + ?Sized>(result: &T) -> Result<String, Failure> {
    serde_json::to_string_pretty(result).map_err(|error| Failure::failed(error.to_string()))
}

/// A table with a head.
pub(super) fn table<const N: usize>(
    head: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(head.map(str::to_uppercase));
    table.add_rows(rows.into_iter().map(|row| row.map(|cell| plain(&cell))));
    trimmed(&table)
}

/// Names and values, one a line; what has no value is left out.
pub(super) fn fields(rows: impl IntoIterator<Item = (&'static str, Option<String>)>) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let rows = rows.into_iter().filter_map(|(name, value)| Some([name.to_owned(), plain(&value?)]));
    table.add_rows(rows);
    trimmed(&table)
}

/// A text from outside, without what a terminal would obey or show in another order: a value cannot hide, forge or move a line.
pub(super) fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_format(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// The same for a text of several lines.
pub(super) fn plain_lines(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

/// Line separators, and marks of direction (Unicode TR 36, section 3.2).
const fn is_format(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Without the blanks that the table puts at the ends of its lines, and before them.
fn trimmed(table: &Table) -> String {
    let lines = table
        .lines()
        .map(|line| line.trim_end().strip_prefix(' ').map_or_else(|| line.clone(), str::to_owned));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_have_no_blanks_at_the_ends_of_lines() {
        let shown =
            table(["name", "host"], [["a".into(), "one".into()], ["bb".into(), "x".into()]]);
        assert_eq!(shown, "NAME  HOST\na     one\nbb    x");
        assert_eq!(fields([("a", Some("1".into())), ("bb", None)]), "a  1");
    }

    #[test]
    fn a_value_cannot_forge_a_line_or_steer_the_terminal() {
        for value in ["a\nforged  row", "\u{1b}[2J", "\u{9b}2J", "a\rb", "\u{202e}gnp", "\u{2028}"]
        {
            let (row, field) =
                (table(["x"], [[value.into()]]), fields([("x", Some(value.into()))]));
            assert_eq!((row.lines().count(), field.lines().count()), (2, 1), "{value:?}");
            for shown in [row, field] {
                let obeyed = |c: char| is_format(c) || c.is_control() && c != '\n';
                assert!(!shown.contains(obeyed), "{shown:?}");
            }
        }
        assert_eq!(plain("grüße 日本"), "grüße 日本");
    }
}
