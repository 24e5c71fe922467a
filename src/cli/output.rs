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
            Format::Table => process.print(&table(result)),
            Format::Json => process.print(&json(result)?),
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
    table.add_rows(rows);
    trimmed(&table)
}

/// Names and values, one a line; what has no value is left out.
pub(super) fn fields(rows: impl IntoIterator<Item = (&'static str, Option<String>)>) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.add_rows(rows.into_iter().filter_map(|(name, value)| Some([name.to_owned(), value?])));
    trimmed(&table)
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
}
