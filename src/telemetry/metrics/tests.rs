//! Names, labels and descriptions, with a recorder of the test's own.

use super::*;

#[test]
fn what_is_recorded_is_rendered_under_its_name_and_labels() {
    let recorder = builder().unwrap().build_recorder();
    let metrics = Metrics(recorder.handle());
    let handles = metrics::with_local_recorder(&recorder, || {
        describe();
        let handles = Handles::register();
        handles.decision(Method::Issue, None, Duration::from_millis(3));
        handles.decision(Method::Issue, Some("ACCESS_DENIED"), Duration::from_secs(20));
        handles.decision(Method::DockerToken, Some("ACCESS_DENIED"), Duration::ZERO);
        handles.access_token(Source::Minted);
        handles.access_token(Source::Reused);
        handles.audit_commit(3, Duration::from_millis(1));
        handles.audit_queued(2);
        handles.begun(Method::Check);
        handles.cache().lookup(CacheLookup::Redis);
        handles.cache().asked(CacheQuestion::Claim, Duration::from_millis(3));
        cache_redis_up(false);
        cache_trouble("late");
        cache_write_dropped("queue_full");
        cache_seal_failed();
        cache_withdrawn();
        handles
    });
    let text = metrics.render();
    for line in [
        r#"dockpass_decisions_total{method="issue",outcome="allowed"} 1"#,
        r#"dockpass_decisions_total{method="issue",outcome="ACCESS_DENIED"} 1"#,
        r#"dockpass_decisions_total{method="docker_token",outcome="ACCESS_DENIED"} 1"#,
        r#"dockpass_decision_duration_seconds_bucket{method="issue",le="0.005"} 1"#,
        r#"dockpass_decision_duration_seconds_bucket{method="issue",le="+Inf"} 2"#,
        r#"dockpass_access_tokens_total{source="minted"} 1"#,
        r#"dockpass_access_tokens_total{source="reused"} 1"#,
        r#"dockpass_audit_batch_events_bucket{le="4"} 1"#,
        "dockpass_audit_queued_events 2",
        r#"dockpass_cache_lookups_total{where="redis"} 1"#,
        r#"dockpass_cache_lookups_total{where="memory"} 0"#,
        r#"dockpass_cache_redis_seconds_bucket{question="claim",le="0.005"} 1"#,
        "dockpass_cache_redis_up 0",
        r#"dockpass_cache_redis_troubles_total{why="late"} 1"#,
        r#"dockpass_cache_writes_dropped_total{why="queue_full"} 1"#,
        "dockpass_cache_seals_failed_total 1",
        "dockpass_cache_withdrawn_total 1",
        r#"dockpass_requests_in_flight{method="check"} 1"#,
        "# HELP dockpass_decisions_total decisions, by method and outcome",
    ] {
        assert!(text.lines().any(|rendered| rendered == line), "{line} is not in\n{text}");
    }
    handles.ended(Method::Check);
    assert!(metrics.render().contains(r#"dockpass_requests_in_flight{method="check"} 0"#));
}

#[test]
fn every_metric_is_described() {
    let recorder = builder().unwrap().build_recorder();
    metrics::with_local_recorder(&recorder, || {
        describe();
        let handles = Handles::register();
        handles.decision(Method::Revoke, None, Duration::ZERO);
        handles.audit_commit(1, Duration::ZERO);
        audit_writable(true);
        audit_index_lag(1);
        connection_refused("address");
        registry_use("registry_push", Some("unknown"));
        log_lines_lost(1);
        cache_redis_up(true);
        cache_trouble("late");
        cache_write_dropped("redis");
        cache_seal_failed();
        cache_withdrawn();
    });
    let text = recorder.handle().render();
    let names = |prefix: &str| {
        text.lines()
            .filter_map(|line| line.strip_prefix(prefix)?.split(' ').next())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("# TYPE "), names("# HELP "));
    assert_eq!(names("# TYPE ").len(), 20);
}

#[test]
fn what_is_recorded_through_the_installed_recorder_is_rendered() {
    record_decision(Method::Unreadable, None, Duration::ZERO);
    let metrics = Metrics::install().unwrap();
    record_decision(Method::Unreadable, None, Duration::ZERO);
    drop(InFlight::begin(Method::Unreadable));
    let text = metrics.render();
    assert!(text.contains(r#"dockpass_decisions_total{method="unreadable",outcome="allowed"} "#));
    assert!(text.contains(r#"dockpass_requests_in_flight{method="unreadable"} 0"#), "{text}");
}
