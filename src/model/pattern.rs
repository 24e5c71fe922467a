//! Patterns of repository names, as scope maps hold them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::RepositoryName;
use super::name::InvalidName;

/// One segment of a pattern.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Segment {
    /// `*` before the last place: exactly one segment, whatever it is.
    Any,
    /// A segment that must be the same.
    Literal(String),
}

/// An exact repository name, or a pattern with `*` as whole segments.
///
/// `prefix/*` stands for any depth below the prefix, but not the prefix itself; `*` alone is everything;
/// a `*` before the last place is exactly one segment. A repository is compared after it passed the OCI grammar.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct RepositoryPattern {
    segments: Vec<Segment>,
    subtree: bool,
}

impl RepositoryPattern {
    /// The segments before a closing `*`, or all of them.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// True when the pattern ends in `*` and so stands for everything strictly below its segments.
    pub const fn is_subtree(&self) -> bool {
        self.subtree
    }

    /// True when the pattern is a repository's name.
    pub fn is_exact(&self) -> bool {
        !self.subtree && !self.segments.contains(&Segment::Any)
    }

    /// True when the pattern stands for `repository`.
    pub fn matches(&self, repository: &RepositoryName) -> bool {
        let mut names = repository.as_str().split('/');
        let prefix = self.segments.iter().all(|segment| match (segment, names.next()) {
            (Segment::Any, Some(_)) => true,
            (Segment::Literal(literal), Some(name)) => literal == name,
            (_, None) => false,
        });
        // a subtree needs one more segment, an exact pattern none
        prefix && names.next().is_some() == self.subtree
    }
}

impl FromStr for RepositoryPattern {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        const RULE: &str = "a repository pattern is a lower-case repository name in which whole segments may be `*`, the last one for any depth";
        let invalid = || InvalidName::new(text, RULE);
        let (body, subtree) = match text.strip_suffix('*') {
            Some("") => return Ok(Self { segments: Vec::new(), subtree: true }),
            Some(prefix) => (prefix.strip_suffix('/').ok_or_else(invalid)?, true),
            None => (text, false),
        };
        // with each `*` replaced, what is left must be a repository name
        let plain: Vec<&str> = body.split('/').map(|s| if s == "*" { "any" } else { s }).collect();
        plain.join("/").parse::<RepositoryName>().map_err(|_| invalid())?;
        let segments = body
            .split('/')
            .map(|s| if s == "*" { Segment::Any } else { Segment::Literal(s.to_owned()) })
            .collect();
        Ok(Self { segments, subtree })
    }
}

impl TryFrom<String> for RepositoryPattern {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<RepositoryPattern> for String {
    fn from(pattern: RepositoryPattern) -> Self {
        pattern.to_string()
    }
}

impl fmt::Display for RepositoryPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<&str> = self
            .segments
            .iter()
            .map(|segment| match segment {
                Segment::Any => "*",
                Segment::Literal(literal) => literal,
            })
            .collect();
        if self.subtree {
            parts.push("*");
        }
        f.write_str(&parts.join("/"))
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
