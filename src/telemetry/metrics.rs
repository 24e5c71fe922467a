//! The metrics: a closed set of names, whose labels come from closed sets too, so that no caller can make them grow.

mod cache;
mod handles;

use std::sync::OnceLock;
use std::time::Duration;

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use parking_lot::Mutex;

use self::handles::Handles;

pub use self::cache::{
    CacheLookup, CacheQuestion, cache_asked, cache_lookup, cache_redis_up, cache_seal_failed,
    cache_trouble, cache_withdrawn, cache_write_dropped,
};

/// Decisions, by method and outcome (`allowed`, or the reason word).
const DECISIONS: &str = "dockpass_decisions_total";
/// How long decisions took, by method.
const DECISION_SECONDS: &str = "dockpass_decision_duration_seconds";
/// Requests being worked on, by method.
const IN_FLIGHT: &str = "dockpass_requests_in_flight";
/// Access tokens handed out, by whether they were minted or reused.
const ACCESS_TOKENS: &str = "dockpass_access_tokens_total";
/// How long a commit of the audit journal took.
const AUDIT_COMMIT_SECONDS: &str = "dockpass_audit_commit_seconds";
/// Audit events in one commit.
const AUDIT_BATCH_EVENTS: &str = "dockpass_audit_batch_events";
/// 1 while the audit journal can be written, else 0: nothing is handed out then.
const AUDIT_WRITABLE: &str = "dockpass_audit_writable";
/// Audit events that wait for their commit.
const AUDIT_QUEUED_EVENTS: &str = "dockpass_audit_queued_events";
/// Audit events that the search index does not hold yet.
const AUDIT_INDEX_LAG_EVENTS: &str = "dockpass_audit_index_lag_events";
/// Connections that were closed because there were too many, by limit.
const CONNECTIONS_REFUSED: &str = "dockpass_connections_refused_total";
/// Uses that registries reported, by the kind of their event.
const REGISTRY_USES: &str = "dockpass_registry_uses_total";
/// Uses that no access token of ours explains, by why.
const BYPASSES: &str = "dockpass_bypasses_total";

/// The revision of policy, in the store and in force here: their difference is how far this process is behind.
const POLICY_REVISION: &str = "dockpass_policy_revision";
/// How long it took from learning of a newer policy to having it in force.
const POLICY_CATCH_UP_SECONDS: &str = "dockpass_policy_catch_up_seconds";
/// How far the clock of this machine is ahead of that of the store's server.
const CLOCK_SKEW_SECONDS: &str = "dockpass_clock_skew_seconds";
/// Lines of the log that were lost because standard error did not take them.
const LOG_LINES_LOST: &str = "dockpass_log_lines_lost_total";

/// What every request touches, looked up once.
static HANDLES: OnceLock<Handles> = OnceLock::new();

/// How often samples are folded into their histograms.
const UPKEEP: Duration = Duration::from_secs(1);

/// Upper bounds of the duration buckets, in seconds: 0.5 ms to 10 s.
const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Upper bounds of the buckets for events in a commit.
const EVENTS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// What was asked of the broker.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Method {
    /// `CheckAccess`.
    Check,
    /// The docker token endpoint.
    DockerToken,
    /// `IssueAccessToken`.
    Issue,
    /// Something that operators can read.
    ManagementRead,
    /// A change of policy.
    PolicyChange,
    /// What a registry reports.
    Notification,
    /// `RevokeAccessToken`.
    Revoke,
    /// A request that could not be understood.
    Unreadable,
}

impl Method {
    /// The word in labels and log lines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::DockerToken => "docker_token",
            Self::Issue => "issue",
            Self::ManagementRead => "management_read",
            Self::PolicyChange => "policy_change",
            Self::Notification => "notification",
            Self::Revoke => "revoke",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Where an access token that is handed out comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Source {
    /// The registry's driver made it for this request.
    Minted,
    /// It was handed out before.
    Reused,
}

/// The metrics of this process, for `/metrics`.
#[derive(Clone, Debug)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Starts to collect; the metrics of a process are one, however often this is called. Before, everything that is
    /// recorded is dropped.
    ///
    /// # Errors
    /// Something else in the process collects already.
    pub fn install() -> Result<Self, BuildError> {
        static INSTALLED: Mutex<Option<PrometheusHandle>> = Mutex::new(None);
        let mut installed = INSTALLED.lock();
        if let Some(handle) = &*installed {
            return Ok(Self(handle.clone()));
        }
        let handle = builder()?.install_recorder()?;
        describe();
        HANDLES.get_or_init(Handles::register);
        *installed = Some(handle.clone());
        Ok(Self(handle))
    }

    /// Folds what was recorded into the histograms, for ever: until then each sample takes memory, and perhaps nobody
    /// ever asks for the text.
    pub async fn keep_up(self) {
        let mut ticks = tokio::time::interval(UPKEEP);
        loop {
            ticks.tick().await;
            let handle = self.0.clone();
            // not on the serving threads: there may be very many samples
            if tokio::task::spawn_blocking(move || handle.run_upkeep()).await.is_err() {
                tracing::error!("the upkeep of the metrics panicked");
            }
        }
    }

    /// The metrics in the text format of Prometheus.
    pub fn render(&self) -> String {
        self.0.run_upkeep();
        self.0.render()
    }
}

/// Counts a decision without logging it: one of a flood. Without a reason word it was allowed.
pub fn record_decision(method: Method, reason: Option<&'static str>, elapsed: Duration) {
    if let Some(handles) = HANDLES.get() {
        handles.decision(method, reason, elapsed);
    }
}

/// Counts an access token that is handed out.
pub fn access_token(source: Source) {
    if let Some(handles) = HANDLES.get() {
        handles.access_token(source);
    }
}

/// Counts a commit of the audit journal that held this many events.
pub fn audit_commit(events: usize, elapsed: Duration) {
    if let Some(handles) = HANDLES.get() {
        handles.audit_commit(events, elapsed);
    }
}

/// Shows whether the audit journal can be written.
pub fn audit_writable(writable: bool) {
    gauge!(AUDIT_WRITABLE).set(if writable { 1.0 } else { 0.0 });
}

/// Shows how many audit events wait for their commit.
pub fn audit_queued(events: usize) {
    if let Some(handles) = HANDLES.get() {
        handles.audit_queued(events);
    }
}

/// Shows how many audit events the search index does not hold yet.
pub fn audit_index_lag(events: u64) {
    gauge!(AUDIT_INDEX_LAG_EVENTS).set(number(usize::try_from(events).unwrap_or(usize::MAX)));
}

/// Counts a connection that was closed because there were too many; `limit` is the word for which limit that was.
pub fn connection_refused(limit: &'static str) {
    counter!(CONNECTIONS_REFUSED, "limit" => limit).increment(1);
}

/// Counts a use that a registry reported; `bypass` is the word for why no access token of ours explains it.
pub fn registry_use(kind: &'static str, bypass: Option<&'static str>) {
    counter!(REGISTRY_USES, "kind" => kind).increment(1);
    if let Some(why) = bypass {
        counter!(BYPASSES, "why" => why).increment(1);
    }
}

/// Shows the revision of policy that the store has, and the one in force here.
pub fn policy_revision(stored: u64, in_force: u64) {
    for (of, revision) in [("store", stored), ("in_force", in_force)] {
        let revision = number(usize::try_from(revision).unwrap_or(usize::MAX));
        gauge!(POLICY_REVISION, "of" => of).set(revision);
    }
}

/// Shows that a newer policy is in force, so long after this process learned of it.
pub fn policy_in_force(revision: u64, elapsed: Duration) {
    policy_revision(revision, revision);
    histogram!(POLICY_CATCH_UP_SECONDS).record(elapsed);
}

/// Shows how many seconds the clock is ahead of the store's.
pub fn clock_skew(seconds: f64) {
    gauge!(CLOCK_SKEW_SECONDS).set(seconds);
}

/// Counts lines of the log that were lost.
pub(super) fn log_lines_lost(lines: u64) {
    counter!(LOG_LINES_LOST).increment(lines);
}

/// A request that is being worked on, until it is dropped.
#[derive(Debug)]
#[must_use = "the request counts as finished when this is dropped"]
pub struct InFlight(Method);

impl InFlight {
    /// Counts a request that begins.
    pub fn begin(method: Method) -> Self {
        if let Some(handles) = HANDLES.get() {
            handles.begun(method);
        }
        Self(method)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if let Some(handles) = HANDLES.get() {
            handles.ended(self.0);
        }
    }
}

fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

fn builder() -> Result<PrometheusBuilder, BuildError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Suffix("_events".to_owned()), &EVENTS)
}

fn describe() {
    describe_counter!(DECISIONS, "decisions, by method and outcome");
    describe_histogram!(DECISION_SECONDS, Unit::Seconds, "how long decisions took");
    describe_gauge!(IN_FLIGHT, "requests being worked on");
    describe_counter!(ACCESS_TOKENS, "access tokens handed out, minted or reused");
    describe_histogram!(AUDIT_COMMIT_SECONDS, Unit::Seconds, "commits of the audit journal");
    describe_histogram!(AUDIT_BATCH_EVENTS, "audit events in one commit");
    describe_gauge!(AUDIT_WRITABLE, "1 while the audit journal can be written");
    describe_gauge!(AUDIT_QUEUED_EVENTS, "audit events that wait for their commit");
    describe_gauge!(AUDIT_INDEX_LAG_EVENTS, "audit events that the search index lacks");
    describe_counter!(REGISTRY_USES, "pushes, pulls and the like that registries reported");
    describe_counter!(BYPASSES, "uses of a registry that no access token explains");
    describe_counter!(CONNECTIONS_REFUSED, "connections closed because there were too many");
    describe_gauge!(POLICY_REVISION, "the revision of policy, in the store and in force here");
    describe_histogram!(
        POLICY_CATCH_UP_SECONDS,
        Unit::Seconds,
        "from learning of newer policy to having it in force"
    );
    describe_gauge!(CLOCK_SKEW_SECONDS, Unit::Seconds, "how far the clock is ahead of the store's");
    cache::describe();
    describe_counter!(LOG_LINES_LOST, "lines of the log that standard error did not take");
}

#[cfg(test)]
mod tests;
