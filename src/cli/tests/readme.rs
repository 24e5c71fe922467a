//! The command lines of README.md, which users copy.

use super::*;

/// The words of a shell's line, as far as the README needs: blanks separate, quotes join, a backslash at the end goes on.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut quote) = (vec![String::new()], None);
    for c in line.chars() {
        match (c, quote) {
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            (' ', None) => words.push(String::new()),
            (c, _) => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Every command of the program in the code blocks, but for those of plain text.
fn command_lines(markdown: &str) -> Vec<String> {
    let joined = markdown.replace("\\\n", "");
    // every second part is a block; its first word is its language, and `text` blocks hold what is printed
    let blocks = joined.split("```").skip(1).step_by(2);
    let lines = blocks.filter(|block| !block.starts_with("text")).flat_map(str::lines);
    let commands = lines.filter_map(|line| {
        let line = line.trim_start().trim_start_matches("- ").trim_start_matches("run: ");
        let line = line.split_once("eval \"$(").map_or(line, |(_, inner)| inner);
        line.starts_with("dockpass ").then(|| line.split(")\"").next().unwrap_or(line).to_owned())
    });
    commands.collect()
}

#[test]
fn every_command_of_the_readme_is_accepted() {
    let found = command_lines(include_str!("../../../README.md"));
    assert!(found.len() >= 20, "only {} commands were found", found.len());
    for line in found {
        let words = words(&line).into_iter();
        let words = words.take_while(|word| !word.starts_with(['>', '<', '|', '#', ';', '&']));
        let parsed = Cli::try_parse_from(words);
        assert!(parsed.is_ok(), "`{line}`: {}", parsed.unwrap_err());
    }
}

#[test]
fn commands_are_found_in_code_blocks_only() {
    let text = "dockpass no\n```sh\ndockpass a \\\n  --b 'c d' > e\n- run: dockpass f\neval \"$(dockpass g)\"\n```\ndockpass no\n```text\ndockpass no\n```\ndockpass no";
    assert_eq!(command_lines(text), ["dockpass a   --b 'c d' > e", "dockpass f", "dockpass g"]);
    assert_eq!(words("a   --b 'c d' > e"), ["a", "--b", "c d", ">", "e"]);
}
