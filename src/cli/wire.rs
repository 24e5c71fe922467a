//! Times, lifetimes and permissions as messages carry them, and as results show them.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::model::{Action, ActionSet};
use crate::pb;

/// An action as messages carry it.
pub(super) const fn action(action: Action) -> pb::Action {
    match action {
        Action::ContentRead => pb::Action::ContentRead,
        Action::ContentWrite => pb::Action::ContentWrite,
        Action::ContentDelete => pb::Action::ContentDelete,
        Action::MetadataRead => pb::Action::MetadataRead,
        Action::MetadataWrite => pb::Action::MetadataWrite,
    }
}

/// Actions as messages carry them.
pub(super) fn actions(set: ActionSet) -> Vec<i32> {
    set.iter().map(|one| action(one).into()).collect()
}

/// An action as people write it: `content/read`. One that this version does not know shows as its number.
pub(super) fn action_text(number: i32) -> String {
    let own = Action::ALL.into_iter().find(|own| i32::from(action(*own)) == number);
    own.map_or_else(|| format!("action {number}"), |own| own.as_str().to_owned())
}

/// Entries of a scope map, by pattern.
pub(super) type Entries = BTreeMap<String, Vec<String>>;

/// The entries of a message; the same pattern twice is the union.
pub(super) fn entries(permissions: &[pb::PatternPermission]) -> Entries {
    let mut entries = Entries::new();
    for permission in permissions {
        let own = entries.entry(permission.repository_pattern.clone()).or_default();
        own.extend(permission.actions.iter().copied().map(action_text));
    }
    entries
}

/// As `az acr` writes permissions: `repositories/servers/nginx/content/read`.
pub(super) fn az_actions(entries: &Entries) -> Vec<String> {
    let each = |(pattern, actions): (&String, &Vec<String>)| {
        actions.iter().map(|action| format!("repositories/{pattern}/{action}")).collect::<Vec<_>>()
    };
    entries.iter().flat_map(each).collect()
}

/// A time as messages carry it.
pub(super) fn time(time: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() }
}

/// A time of a message.
pub(super) fn timestamp(time: &prost_types::Timestamp) -> Option<Timestamp> {
    Timestamp::new(time.seconds, time.nanos).ok()
}

/// A time of a message, where there is one.
pub(super) fn optional_time(time: Option<&prost_types::Timestamp>) -> Option<Timestamp> {
    time.and_then(timestamp)
}

/// A time without its fraction of a second, for people.
pub(super) fn to_the_second(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// The same as text; `-` when there is none.
pub(super) fn time_text(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| to_the_second(time).to_string())
}

/// When something ends, as text; `Never` when it does not.
pub(super) fn end_text(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "Never".to_owned(), |time| to_the_second(time).to_string())
}

/// A length of time as messages carry it; fractions of a second are dropped.
pub(super) fn duration(length: Duration) -> prost_types::Duration {
    prost_types::Duration { seconds: i64::try_from(length.as_secs()).unwrap_or(i64::MAX), nanos: 0 }
}

/// So many days as messages carry them.
pub(super) fn days(days: u32) -> prost_types::Duration {
    duration(Duration::from_secs(u64::from(days) * 86_400))
}

/// A length of time for people: `1h 30m`.
pub(super) fn duration_text(length: &prost_types::Duration) -> String {
    format!("{:#}", SignedDuration::from_secs(length.seconds))
}

/// A length of time as proto3 JSON writes it: `1800s`.
pub(super) fn duration_json(length: &prost_types::Duration) -> String {
    format!("{}s", length.seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_those_of_the_wire() {
        for own in Action::ALL {
            assert_eq!(action_text(action(own).into()), own.as_str());
        }
        assert_eq!(action_text(99), "action 99");
        assert_eq!(actions(ActionSet::PUSH), [1, 2]);
    }

    #[test]
    fn permissions_are_shown_as_az_writes_them() {
        let permission = |pattern: &str, actions: &[i32]| pb::PatternPermission {
            repository_pattern: pattern.to_owned(),
            actions: actions.to_vec(),
        };
        let entries = entries(&[permission("b/*", &[1]), permission("a", &[1, 2])]);
        let shown = az_actions(&entries);
        assert_eq!(
            shown,
            [
                "repositories/a/content/read",
                "repositories/a/content/write",
                "repositories/b/*/content/read"
            ]
        );
    }

    #[test]
    fn times_lose_only_their_fractions() {
        let now: Timestamp = "2026-08-01T12:00:00.5Z".parse().unwrap();
        assert_eq!(timestamp(&time(now)), Some(now));
        assert_eq!(time_text(Some(now)), "2026-08-01T12:00:00Z");
        assert_eq!((time_text(None), end_text(None)), ("-".to_owned(), "Never".to_owned()));
        assert_eq!(
            (duration_text(&days(1)), duration_json(&days(1))),
            ("24h".into(), "86400s".into())
        );
    }
}
