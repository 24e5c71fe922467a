//! A review in its four forms.

use super::*;

/// A review of a token that is used in part, and of one that nobody used.
pub(super) fn report() -> Report {
    let time = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let entry = |pattern: &str, actions: &[i32]| pb::PatternPermission {
        repository_pattern: pattern.into(),
        actions: actions.to_vec(),
    };
    let used = pb::TokenReview {
        token: Some(pb::Token {
            registry: "local".into(),
            name: "vendor-agent".into(),
            scope_map: "agent-readers".into(),
            status: pb::TokenStatus::Enabled.into(),
            description: "<b>the vendor</b>".into(),
            owner: "team-field".into(),
            passwords: vec![pb::Password {
                name: pb::PasswordName::Password1.into(),
                last_four: "abcd".into(),
                ..Default::default()
            }],
            ..Default::default()
        }),
        permissions: vec![entry("field/*", &[1, 2])],
        uses: vec![pb::PermissionUse {
            token_name: "vendor-agent".into(),
            subject: "password1".into(),
            repository: "field/agent".into(),
            action: 1,
            count: 3,
            last_time: time(86_400),
            ..Default::default()
        }],
        unused: vec![entry("field/*", &[2])],
        sufficient: vec![pb::RepositoryPermission {
            repository: "field/agent".into(),
            actions: vec![1],
        }],
        findings: vec!["password1 never expires".into()],
        uses_since: None,
    };
    let idle = pb::TokenReview {
        token: Some(pb::Token {
            registry: "local".into(),
            name: "old-robot".into(),
            scope_map: "gone".into(),
            status: pb::TokenStatus::Disabled.into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    Report {
        registry: "local".into(),
        time: Timestamp::UNIX_EPOCH,
        days: 90,
        uses_since: None,
        findings: vec!["a push that no access token explains".into()],
        tokens: [used, idle].map(Reviewed::from).into(),
    }
}

#[test]
fn the_matrix_joins_permissions_and_uses() {
    let report = report();
    let row = &report.tokens[0].permissions[0];
    assert_eq!((row.uses, row.used_by.as_slice()), (3, &["password1".to_owned()][..]));
    assert_eq!(row.unused, ["content/write"]);
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["tokens"][0]["permissions"][0]["lastUseTime"], "1970-01-02T00:00:00Z");
    assert_eq!(json["tokens"][0]["token"]["credentials"]["passwords"][0]["name"], "password1");
}

#[test]
fn a_pattern_of_which_little_was_used_has_a_narrower_scope_map_and_an_exact_one_none() {
    let mut token = report().tokens.swap_remove(0);
    token.permissions[0].unused.clear();
    token.permissions[0].actions = vec!["content/read".into()];
    assert_eq!(token.narrower(), Some(&token.sufficient));
    token.permissions[0].repository = "field/agent".into();
    assert_eq!(token.narrower(), None);
    token.sufficient.clear();
    assert_eq!(token.narrower(), None, "nothing was used");
}

#[test]
fn a_table_shows_the_matrix_and_then_what_to_look_at() {
    let shown = table::text(&report());
    for expected in [
        "vendor-agent  Never     field/*     content/read,content/write  content/write  1970-01-02T00:00:00Z",
        "old-robot     disabled  -           nothing",
        "2 tokens; unused = not in the past 90 days",
        "would have sufficed:\n  vendor-agent: field/agent content/read\n",
        "  a push that no access token explains\n  vendor-agent: password1 never expires",
    ] {
        assert!(shown.contains(expected), "{expected} is not in\n{shown}");
    }
}

#[test]
fn a_spreadsheet_has_a_line_for_each_token_and_entry() {
    let shown = csv::text(&report());
    let lines: Vec<_> = shown.split("\r\n").collect();
    assert_eq!(
        lines[1],
        "local,vendor-agent,enabled,,agent-readers,team-field,field/*,content/read content/write,content/write,3,1970-01-02T00:00:00Z,password1,field/agent content/read,password1 never expires"
    );
    assert_eq!(lines[2], "local,old-robot,disabled,,gone,,,,,,,,,");
}

#[test]
fn the_page_stands_alone_and_explains_itself() {
    let page = html::page(&report());
    for outside in ["http:", "https:", "src=", "<link", "<script", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    for expected in [
        "&lt;b&gt;the vendor&lt;/b&gt;",
        "all repositories below field/",
        "<td>download, upload</td>",
        "this would have sufficed",
        "password1 never expires",
        "Nobody can act as it",
        "<dt>Scope map</dt>",
        "@media print",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
    // in use first
    assert!(page.find("id=\"vendor-agent\"") < page.find("id=\"old-robot\""));
}

#[test]
fn a_review_that_did_not_look_far_enough_says_so() {
    let mut report = report();
    assert_eq!(report.shortfall(), None);
    report.uses_since = report.time.checked_sub(SignedDuration::from_hours(24 * 90)).ok();
    assert_eq!(report.shortfall(), None);
    report.uses_since = Some(report.time);
    for shown in [table::text(&report), html::page(&report)] {
        assert!(shown.contains("only back to 1970-01-01T00:00:00Z"), "{shown}");
    }
}

#[test]
fn a_token_that_is_younger_than_the_window_was_looked_at_whole() {
    let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let review = |made, since| pb::TokenReview {
        token: Some(pb::Token { create_time: at(made), ..Default::default() }),
        uses_since: at(since),
        ..Default::default()
    };
    assert_eq!(cut_short_at(&review(5, 5)), None);
    assert_eq!(cut_short_at(&review(5, 9)), Timestamp::from_second(9).ok());
}
