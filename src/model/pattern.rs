//! Patterns of repository names, as scope maps hold them.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::name::InvalidName;
use super::text;
use super::{RepositoryName, Text};

/// One segment of a pattern.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Segment<'a> {
    /// `*` before the last place: exactly one segment, whatever it is.
    Any,
    /// A segment that must be the same.
    Literal(&'a str),
}

/// An exact repository name, or a pattern with `*` as whole segments.
///
/// `prefix/*` stands for any depth below the prefix, but not the prefix itself; `*` alone is everything;
/// a `*` before the last place is exactly one segment. A repository is compared after it passed the OCI grammar.
/// Patterns sort by their segments.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct RepositoryPattern(Text);

impl RepositoryPattern {
    /// The segments before a closing `*`, or all of them.
    pub fn segments(&self) -> impl Iterator<Item = Segment<'_>> {
        let body =
            self.0.strip_suffix('*').map_or(Some(self.0.as_str()), |body| body.strip_suffix('/'));
        body.into_iter().flat_map(|body| body.split('/')).map(|segment| match segment {
            "*" => Segment::Any,
            literal => Segment::Literal(literal),
        })
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True when the pattern ends in `*` and so stands for everything strictly below its segments.
    pub fn is_subtree(&self) -> bool {
        self.0.ends_with('*')
    }

    /// True when the pattern is a repository's name.
    pub fn is_exact(&self) -> bool {
        !self.0.contains('*')
    }

    /// True when the pattern stands for `repository`.
    pub fn matches(&self, repository: &RepositoryName) -> bool {
        let mut names = repository.as_str().split('/');
        let prefix = self.segments().all(|segment| match (segment, names.next()) {
            (Segment::Any, Some(_)) => true,
            (Segment::Literal(literal), Some(name)) => literal == name,
            (_, None) => false,
        });
        // a subtree needs one more segment, an exact pattern none
        prefix && names.next().is_some() == self.is_subtree()
    }
}

impl FromStr for RepositoryPattern {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        const RULE: &str = "a repository pattern is a lower-case repository name in which whole segments may be `*`, the last one for any depth";
        let invalid = || InvalidName::new(text, RULE);
        let body = match text.strip_suffix('*') {
            Some("") => return Ok(Self(text.into())),
            Some(prefix) => prefix.strip_suffix('/').ok_or_else(invalid)?,
            None => text,
        };
        // with each `*` replaced, what is left must be a repository name
        let plain: Vec<&str> = body.split('/').map(|s| if s == "*" { "any" } else { s }).collect();
        plain.join("/").parse::<RepositoryName>().map_err(|_| invalid())?;
        Ok(Self(text.into()))
    }
}

impl Ord for RepositoryPattern {
    fn cmp(&self, other: &Self) -> Ordering {
        let segments = self.segments().cmp(other.segments());
        segments.then(self.is_subtree().cmp(&other.is_subtree()))
    }
}

impl PartialOrd for RepositoryPattern {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Serialize for RepositoryPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for RepositoryPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::parse(deserializer)
    }
}

impl fmt::Display for RepositoryPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, repository: &str) -> bool {
        pattern.parse::<RepositoryPattern>().unwrap().matches(&repository.parse().unwrap())
    }

    #[test]
    fn a_subtree_is_any_depth_below_but_not_the_prefix() {
        assert!(matches("servers/*", "servers/nginx"));
        assert!(matches("servers/*", "servers/web/nginx"));
        assert!(!matches("servers/*", "servers"));
        assert!(!matches("servers/*", "servers2/nginx"));
        assert!(matches("*", "anything/at/all"));
    }

    #[test]
    fn a_star_before_the_last_place_is_exactly_one_segment() {
        assert!(matches("teams/*/base", "teams/web/base"));
        assert!(!matches("teams/*/base", "teams/base"));
        assert!(!matches("teams/*/base", "teams/a/b/base"));
        assert!(!matches("teams/*/base", "teams/web/base/x"));
        assert!(matches("teams/*/images/*", "teams/web/images/a/b"));
        assert!(!matches("teams/*/images/*", "teams/web/images"));
        assert!(matches("*/base", "web/base"));
    }

    #[test]
    fn patterns_sort_by_their_segments() {
        // a star before names, an end before what goes on, a repository before what is below it
        let sorted =
            ["*", "*/base", "*/base/*", "a", "a/*", "a/*/b", "a/b", "a/b/*", "a-b", "a-b/c", "b"];
        let patterns = sorted.map(|text| text.parse::<RepositoryPattern>().unwrap());
        assert!(patterns.is_sorted(), "{patterns:?}");
        assert_eq!(patterns.map(|pattern| pattern.to_string()), sorted);
    }

    #[test]
    fn c1_anything_else_is_refused_where_it_is_written() {
        let long = "a/".repeat(40_000);
        let bad = [
            "",
            "/",
            "**",
            "a/**",
            "a*",
            "*a",
            "a/b*",
            "a/*b",
            "A/*",
            "a//b",
            "../a",
            "a/../*",
            "a|b",
            "a)(b",
            "a\n",
            "a\n/*",
            "%2f",
            "host:5000/a",
            "a/*/",
            "/*",
            "*/",
            long.as_str(),
        ];
        for text in bad {
            let refused = text.parse::<RepositoryPattern>();
            assert!(refused.is_err(), "{refused:?}");
        }
    }
}
