//! Anchored globs for the values of claims and for subjects.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Text;
use super::text::{self, HasText};

/// In bytes; so many parts has a pattern at most.
const MAX_LENGTH: usize = 1024;

/// A text to compare whole values with: `*` stands for any run of characters except `/` and `:`, `**` for any run,
/// `?` for one character except `/` and `:`. Everything else stands for itself; there is no escape.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Glob {
    text: Text,
    /// How many bytes stand before the first wildcard.
    literal: u16,
    wildcards: Wildcards,
}

/// The wildcards of a text.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
enum Wildcards {
    None,
    /// One `*`.
    Run,
    /// One `**`.
    RunAcross,
    Several,
}

#[derive(Clone, Copy, Debug)]
enum Part {
    Char(char),
    One,
    Run,
    RunAcross,
}

impl Glob {
    /// The text when it holds no wildcard.
    #[inline]
    pub fn exact(&self) -> Option<&str> {
        self.is_exact().then_some(&*self.text)
    }

    /// True when the text holds no wildcard.
    #[inline]
    pub fn is_exact(&self) -> bool {
        self.wildcards == Wildcards::None
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
        let (_, pattern) =
            self.text.split_at_checked(usize::from(self.literal)).unwrap_or_default();
        match self.wildcards {
            Wildcards::None => rest.is_empty(),
            Wildcards::Run => {
                run(pattern, "*", rest).is_some_and(|run| !run.contains(is_separator))
            }
            Wildcards::RunAcross => run(pattern, "**", rest).is_some(),
            Wildcards::Several => fits(pattern, rest),
        }
    }
}

impl HasText for Glob {
    fn text_mut(&mut self) -> &mut Text {
        &mut self.text
    }
}

/// What the one wildcard at the start of the pattern stands for in the value, when what follows it is literally at the end.
fn run<'a>(pattern: &str, wildcard: &str, value: &'a str) -> Option<&'a str> {
    value.strip_suffix(pattern.strip_prefix(wildcard)?)
}

/// True when the whole value fits the pattern.
fn fits(pattern: &str, value: &str) -> bool {
    let mut reached = Reached::start(pattern);
    for char in value.chars() {
        reached = reached.after(pattern, char);
        if reached.is_nowhere() {
            return false;
        }
    }
    reached.has(parts(pattern).count())
}

/// How far a value got in a pattern: bit n is set when the first n parts fit what was read so far.
#[derive(Debug, Default, Eq, PartialEq)]
struct Reached([u64; MAX_LENGTH / 64 + 1]);

impl Reached {
    /// Before anything was read. A run may be empty, so what reaches it reaches past it.
    fn start(pattern: &str) -> Self {
        let runs = parts(pattern).take_while(|part| part.is_run()).count();
        let mut reached = Self::default();
        (0..=runs).for_each(|parts| reached.set(parts));
        reached
    }

    /// After one character more.
    fn after(&self, pattern: &str, char: char) -> Self {
        let mut next = Self::default();
        for (at, part) in parts(pattern).enumerate() {
            let here = self.has(at);
            if here && part.repeats_over(char) {
                next.set(at);
            }
            if (here && part.is_one(char)) || (part.is_run() && next.has(at)) {
                next.set(at + 1);
            }
        }
        next
    }

    fn is_nowhere(&self) -> bool {
        *self == Self::default()
    }

    fn has(&self, parts: usize) -> bool {
        self.0.get(parts / 64).is_some_and(|word| word & 1 << (parts % 64) != 0)
    }

    fn set(&mut self, parts: usize) {
        if let Some(word) = self.0.get_mut(parts / 64) {
            *word |= 1 << (parts % 64);
        }
    }
}

impl Part {
    fn is_run(self) -> bool {
        matches!(self, Self::Run | Self::RunAcross)
    }

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
        if text.len() > MAX_LENGTH {
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
        Ok(Self { text: text.into(), literal, wildcards: Wildcards::of(wildcards) })
    }
}

impl Wildcards {
    fn of(pattern: &str) -> Self {
        let mut wildcards = parts(pattern).filter(|part| !matches!(part, Part::Char(_)));
        match (wildcards.next(), wildcards.next()) {
            (None, _) => Self::None,
            (Some(Part::Run), None) => Self::Run,
            (Some(Part::RunAcross), None) => Self::RunAcross,
            _ => Self::Several,
        }
    }
}

/// What a pattern consists of.
fn parts(pattern: &str) -> impl Iterator<Item = Part> {
    let mut chars = pattern.chars().peekable();
    std::iter::from_fn(move || {
        Some(match chars.next()? {
            '*' if chars.next_if_eq(&'*').is_some() => Part::RunAcross,
            '*' => Part::Run,
            '?' => Part::One,
            other => Part::Char(other),
        })
    })
}

impl Serialize for Glob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Glob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::parse(deserializer)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn a_quick_look_and_a_look_at_every_part_agree(
            text in "[ab/:é]{0,4}([*]{1,2}|[?]|)[ab/:é]{0,3}([*]{1,2}|[?]|)[a/]{0,1}",
            value in "[ab/:é*]{0,10}",
        ) {
            if let Ok(glob) = text.parse::<Glob>() {
                prop_assert_eq!(glob.matches(&value), fits(&text, &value));
                prop_assert_eq!(glob.matches(&value), fits_slowly(&text, &value));
            }
        }
    }

    /// By the words of [`Glob`], without regard to time.
    fn fits_slowly(pattern: &str, value: &str) -> bool {
        let any_rest = |pattern: &str, run: fn(char) -> bool| {
            let ends = (0..=value.len()).filter_map(|end| value.split_at_checked(end));
            let mut runs = ends.take_while(|(before, _)| before.chars().all(run));
            runs.any(|(_, after)| fits_slowly(pattern, after))
        };
        let mut rest = value.chars();
        if let Some(pattern) = pattern.strip_prefix("**") {
            any_rest(pattern, |_| true)
        } else if let Some(pattern) = pattern.strip_prefix('*') {
            any_rest(pattern, |char| !"/:".contains(char))
        } else if let Some(pattern) = pattern.strip_prefix('?') {
            rest.next().is_some_and(|char| !"/:".contains(char))
                && fits_slowly(pattern, rest.as_str())
        } else {
            let mut pattern = pattern.chars();
            let (own, other) = (pattern.next(), rest.next());
            own == other && (own.is_none() || fits_slowly(pattern.as_str(), rest.as_str()))
        }
    }

    #[test]
    fn the_longest_pattern_is_looked_at_to_its_end() {
        let glob = format!("?*{}", "a".repeat(1022));
        assert!(matches(&glob, &format!("b{}", "a".repeat(1022))));
        assert!(!matches(&glob, &format!("b{}b", "a".repeat(1021))));
        assert!(matches(&"?".repeat(1024), &"é".repeat(1024)));
        assert!(!matches(&"?".repeat(1024), &"é".repeat(1023)));
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
