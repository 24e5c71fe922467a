use super::*;

/// As docker-registry 2.8 sends it for the push of a manifest.
const PUSH: &str = r#"{"events": [{
    "id": "320678d8-ca14-430f-8bb6-4ca139cd83f7",
    "timestamp": "2026-11-22T10:00:00.123456789+01:00",
    "action": "push",
    "target": {
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "size": 708,
        "digest": "sha256:fea8895f450959fa676bcc1df0611ea93823a735a01205fd8622846041d0c7cf",
        "length": 708,
        "repository": "servers/nginx",
        "url": "http://localhost:5000/v2/servers/nginx/manifests/sha256:fea8",
        "tag": "1"
    },
    "request": {
        "id": "6df24a34-0959-4923-81ca-14f09767db19",
        "addr": "[::ffff:192.0.2.9]:42961",
        "host": "localhost:5000",
        "method": "PUT",
        "useragent": "skopeo/1.18"
    },
    "actor": {"name": "0199f3c2-7a0e-7c55-9d3b-0c1f5b0d2a11"},
    "source": {"addr": "xtal:5000", "instanceID": "a53db899-3b4b-4a62-a067-8dd013beaca4"}
}]}"#;

fn one(text: &str) -> Report {
    let mut reports = parse(text.as_bytes()).unwrap();
    assert_eq!(reports.len(), 1, "{reports:?}");
    reports.remove(0)
}

#[test]
fn a_push_is_read_with_everything_that_identifies_it() {
    let report = one(PUSH);
    assert_eq!(report.deed, Deed::Push);
    assert_eq!(report.repository.as_str(), "servers/nginx");
    assert_eq!(report.time, "2026-11-22T09:00:00.123456789Z".parse().unwrap());
    assert_eq!(report.size, Some(708));
    assert!(report.digest.unwrap().starts_with("sha256:fea8"));
    for (found, wanted) in [
        (report.tag, "1"),
        (report.client, "192.0.2.9"),
        (report.actor, "0199f3c2-7a0e-7c55-9d3b-0c1f5b0d2a11"),
        (report.request_id, "6df24a34-0959-4923-81ca-14f09767db19"),
        (report.user_agent, "skopeo/1.18"),
        (report.id, "320678d8-ca14-430f-8bb6-4ca139cd83f7"),
    ] {
        assert_eq!(found.as_deref(), Some(wanted));
    }
}

#[test]
fn what_is_not_there_is_absent_and_never_empty() {
    let report = one(
        r#"{"events": [{"timestamp": "2026-11-22T10:00:00Z", "action": "delete", "target": {"repository": "a"}}]}"#,
    );
    assert_eq!((report.tag, report.digest, report.actor, report.client), (None, None, None, None));
}

#[test]
fn what_is_no_use_is_left_out_so_that_it_is_not_sent_for_ever() {
    for (from, to) in
        [("\"push\"", "\"scan\""), ("servers/nginx\",\n        \"url", "../x\", \"url")]
    {
        let changed = PUSH.replace(from, to);
        assert_ne!(changed, PUSH);
        assert!(parse(changed.as_bytes()).unwrap().is_empty(), "{changed}");
    }
}

#[test]
fn what_is_no_notification_is_refused() {
    for text in ["", "{}", "[]", "null", r#"{"events": 1}"#, r#"{"events": [{"action": "push"}]}"#]
    {
        assert!(parse(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn promise_8_texts_of_a_registry_are_bounded_and_hold_no_control_characters() {
    let long = format!("\\u001b[2J{}", "é".repeat(1000));
    let report = one(&PUSH.replace("skopeo/1.18", &long));
    let agent = report.user_agent.unwrap();
    assert!(agent.len() <= MAX_TEXT && agent.starts_with("[2Jé"), "{agent}");
}

#[test]
fn h1_the_secret_is_that_of_the_one_bearer_header() {
    let read = |values: &[&str]| {
        let values = values.iter().map(|value| (AUTHORIZATION, value.parse().unwrap()));
        bearer(&values.collect()).map(|secret| secret.expose().to_owned())
    };
    assert_eq!(read(&["Bearer abc"]).as_deref(), Some("abc"));
    assert_eq!(read(&["bearer abc"]).as_deref(), Some("abc"));
    for values in [&[][..], &["Basic abc"], &["abc"], &["Bearer abc", "Bearer abc"]] {
        assert_eq!(read(values), None, "{values:?}");
    }
}
