//! Reads Rust files as far as the rules of the tree need it: modules, lines of code, imports.

use std::path::PathBuf;

use super::root;

/// Files and folders of `src` that are only compiled for tests.
const TEST_ONLY: [&str; 3] = ["for_test", "testing", "tests"];

/// One Rust file.
pub(crate) struct Source {
    /// Relative to the package.
    pub(crate) path: PathBuf,
    /// What it holds.
    pub(crate) text: String,
}

impl Source {
    /// All Rust files below a folder of the package, by path.
    pub(crate) fn all(folder: &str) -> Vec<Self> {
        let mut found = Vec::new();
        let mut folders = vec![root().join(folder)];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).expect("a folder of the package") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let text = std::fs::read_to_string(&path).expect("a Rust file");
                    let path = path.strip_prefix(root()).expect("below the package").to_owned();
                    found.push(Self { path, text });
                }
            }
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        found
    }

    /// Its path, for a message.
    pub(crate) fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// The module path, such as `["policy", "decide"]`; empty for `lib.rs` and `main.rs`.
    fn module_path(&self) -> Vec<String> {
        let below = self.path.strip_prefix("src").unwrap_or(&self.path).with_extension("");
        below
            .iter()
            .map(|part| part.to_string_lossy().into_owned())
            .filter(|part| !matches!(part.as_str(), "mod" | "lib" | "main"))
            .collect()
    }

    /// The top module that it is part of; `None` for the crate's root, and for files that hold only tests.
    pub(crate) fn module(&self) -> Option<String> {
        let path = self.module_path();
        if path.iter().skip(1).any(|part| TEST_ONLY.contains(&part.as_str())) {
            None
        } else {
            path.into_iter().next()
        }
    }

    /// The lines that are compiled into the program: no comments, nothing behind `#[cfg(test)]`. Numbers from 1.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut test_item = None;
        self.text.lines().enumerate().filter_map(move |(index, line)| {
            let trimmed = line.trim_start();
            if trimmed.starts_with("//") {
                return None;
            }
            let indent = line.len() - trimmed.len();
            if trimmed.starts_with("#[cfg(test)]") {
                test_item = Some(indent);
            } else if let Some(outer) = test_item {
                // rustfmt closes an item at the indent where it began
                let ends = indent == outer && trimmed.ends_with(['}', ';']);
                if ends {
                    test_item = None;
                }
            } else {
                return Some((index + 1, line));
            }
            None
        })
    }

    /// The top modules of the crate that it names, by `crate::` or by enough `super::`, with the line.
    pub(crate) fn imports(&self) -> Vec<(usize, String)> {
        let mut code = String::new();
        let mut starts = Vec::new();
        for (number, line) in self.code() {
            starts.push((code.len(), number));
            code.push_str(line);
            code.push('\n');
        }
        let line_at = |offset: usize| {
            starts
                .iter()
                .take_while(|(start, _)| *start <= offset)
                .last()
                .map_or(0, |found| found.1)
        };
        let to_root = "super::".repeat(self.module_path().len().max(1));
        let mut found: Vec<(usize, String)> = ["crate::", to_root.as_str()]
            .into_iter()
            .flat_map(|prefix| code.match_indices(prefix))
            .map(|(at, prefix)| (at, code.split_at(at).0, code.split_at(at + prefix.len()).1))
            .filter(|(_, before, _)| !before.ends_with(|c| is_name(c) || c == ':'))
            .flat_map(|(at, _, path)| first_segments(path).into_iter().map(move |name| (at, name)))
            .map(|(at, module)| (line_at(at), module))
            .collect();
        found.sort();
        found
    }
}

/// The first segments of what follows `crate::`: one name, or those of a `{…}` group. Types and functions of the root do not count.
fn first_segments(path: &str) -> Vec<String> {
    let Some(group) = path.strip_prefix('{') else {
        let name: String = path.chars().take_while(|c| is_name(*c)).collect();
        return vec![name];
    };
    let mut depth = 0_usize;
    let mut names = vec![String::new()];
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(String::new()),
            _ if depth == 0 => names.last_mut().expect("one at least").push(c),
            _ => {}
        }
    }
    let first = |path: &String| path.trim().chars().take_while(|c| is_name(*c)).collect();
    names.iter().map(first).filter(|name: &String| !name.is_empty()).collect()
}

/// Whether a character can be part of a Rust name.
pub(crate) fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}
