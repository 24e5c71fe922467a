//! Anchored globs for the values of claims and for subjects.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A text to compare whole values with: `*` stands for any run of characters except `/` and `:`, `**` for any run,
/// `?` for one character except `/` and `:`. Everything else stands for itself; there is no escape.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Glob {
    text: Box<str>,
    /// How many bytes stand before the first wildcard.
    literal: u16,
    /// What follows the literal prefix; empty when the text holds no wildcard.
    parts: Box<[Part]>,
}

#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
enum Part {
    Char(char),
    One,
    Run,
    RunAcross,
}

impl Glob {
    /// The text when it holds no wildcard.
    pub fn exact(&self) -> Option<&str> {
        self.is_exact().then_some(&*self.text)
    }

    /// True when the text holds no wildcard.
    pub fn is_exact(&self) -> bool {
        self.parts.is_empty()
    }

    /// The text before the first wildcard.
    pub fn literal_prefix(&self) -> &str {
        self.text.get(..usize::from(self.literal)).unwrap_or_default()
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// True when the whole of `value` fits. Takes time proportional to the product of the two lengths, never more.
    pub fn matches(&self, value: &str) -> bool {
        if self.is_exact() {
            return *self.text == *value;
        }
        let Some(rest) = value.strip_prefix(self.literal_prefix()) else { return false };
        match *self.parts {
            [Part::Run] => return !rest.contains(is_separator),
            [Part::RunAcross] => return true,
            _ => {}
        }
        // reached[i]: the first i parts fit what was read so far
        let mut reached = vec![false; self.parts.len() + 1];
        let mut next = reached.clone();
        set(&mut reached, 0);
        self.skip_runs(&mut reached);
        for char in rest.chars() {
            next.fill(false);
            for ((part, here), after) in self.parts.iter().zip(&reached).zip(1..) {
                if *here && part.repeats_over(char) {
                    set(&mut next, after - 1);
                }
                if *here && part.is_one(char) {
                    set(&mut next, after);
                }
            }
            self.skip_runs(&mut next);
            std::mem::swap(&mut reached, &mut next);
        }
        reached.last().copied().unwrap_or(false)
    }

    /// A run may be empty, so what reaches it reaches past it.
    fn skip_runs(&self, reached: &mut [bool]) {
        for (at, part) in self.parts.iter().enumerate() {
            let here = reached.get(at).copied().unwrap_or(false);
            if here && matches!(part, Part::Run | Part::RunAcross) {
                set(reached, at + 1);
            }
        }
    }
}

impl Part {
    fn is_one(self, char: char) -> bool {
        match self {
            Self::Char(own) => own == char,
            Self::One => !is_separator(char),
            Self::Run | Self::RunAcross => false,
        }
    }

    fn repeats_over(self, char: char) -> bool {
        match self {
            Self::Char(_) | Self::One => false,
            Self::Run => !is_separator(char),
            Self::RunAcross => true,
        }
    }
}

impl FromStr for Glob {
    type Err = InvalidGlob;

    fn from_str(text: &str) -> Result<Self, InvalidGlob> {
        if text.len() > 1024 {
            return Err(InvalidGlob("a pattern of a value has at most 1024 bytes"));
        }
        if text.chars().any(char::is_control) {
            return Err(InvalidGlob("a pattern of a value holds no control characters"));
        }
        if text.contains("***") {
            return Err(InvalidGlob("`***` has no meaning: use `*` or `**`"));
        }
        let (literal, wildcards) =
            text.split_at_checked(text.find(['*', '?']).unwrap_or(text.len())).unwrap_or_default();
        // INVARIANT: the length was looked at above
        let literal = u16::try_from(literal.len()).unwrap_or_default();
        let mut parts = Vec::new();
        let mut chars = wildcards.chars().peekable();
        while let Some(char) = chars.next() {
            parts.push(match char {
                '*' if chars.next_if_eq(&'*').is_some() => Part::RunAcross,
                '*' => Part::Run,
                '?' => Part::One,
                other => Part::Char(other),
            });
        }
        Ok(Self { text: text.into(), literal, parts: parts.into() })
    }
}

impl TryFrom<String> for Glob {
    type Error = InvalidGlob;

    fn try_from(text: String) -> Result<Self, InvalidGlob> {
        text.parse()
    }
}

impl From<Glob> for String {
    fn from(glob: Glob) -> Self {
        glob.text.into()
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A text that is no pattern of a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidGlob(&'static str);

const fn is_separator(char: char) -> bool {
    matches!(char, '/' | ':')
}

fn set(reached: &mut [bool], at: usize) {
    if let Some(place) = reached.get_mut(at) {
        *place = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(glob: &str, value: &str) -> bool {
        glob.parse::<Glob>().unwrap().matches(value)
    }

    #[test]
    fn a_star_stops_at_slash_and_colon_and_two_stars_do_not() {
        assert!(matches("repo:acme/*:ref:refs/heads/main", "repo:acme/web:ref:refs/heads/main"));
        assert!(!matches("repo:acme/*:ref:refs/heads/main", "repo:acme/a/b:ref:refs/heads/main"));
        assert!(!matches("repo:acme/*", "repo:acme/web:ref:refs/heads/main"));
        assert!(matches("repo:acme/**", "repo:acme/web:ref:refs/heads/main"));
        assert!(matches("refs/heads/release-?", "refs/heads/release-1"));
        assert!(!matches("refs/heads?main", "refs/heads/main"));
    }

    #[test]
    fn globs_are_anchored_and_a_value_is_never_a_pattern() {
        assert!(!matches("main", "xmain"));
        assert!(!matches("main", "mainx"));
        assert!(!matches("main", "*"));
        assert!(matches("*", "*"));
        assert!(matches("*", ""));
        assert!(matches("a**", "a"));
        assert!(matches("*.?", "a.b.c"));
        assert!(!matches("[a-z]+", "a"));
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        let glob = "a*".repeat(200);
        assert!(!matches(&glob, &"a".repeat(199)));
        assert!(!matches(&format!("{glob}b"), &"a".repeat(10_000)));
    }

    #[test]
    fn too_long_control_characters_and_three_stars_are_refused() {
        for text in ["a\nb", "a***", &"x".repeat(1025)] {
            assert!(text.parse::<Glob>().is_err());
        }
    }
}
