//! The handles of what every request touches: to look one up by its name and labels costs more than to count.

use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use super::{
    ACCESS_TOKENS, AUDIT_BATCH_EVENTS, AUDIT_COMMIT_SECONDS, AUDIT_QUEUED_EVENTS, DECISION_SECONDS,
    DECISIONS, IN_FLIGHT, Method, Source, cache, number,
};

/// The handles of one recorder.
pub(super) struct Handles {
    check: OfMethod,
    docker_token: OfMethod,
    issue: OfMethod,
    management_read: OfMethod,
    notification: OfMethod,
    policy_change: OfMethod,
    revoke: OfMethod,
    unreadable: OfMethod,
    minted: Counter,
    reused: Counter,
    cache: cache::Handles,
    commit_seconds: Histogram,
    batch_events: Histogram,
    queued_events: Gauge,
}

struct OfMethod {
    allowed: Counter,
    seconds: Histogram,
    in_flight: Gauge,
}

impl Handles {
    /// Those of the recorder that collects now.
    pub(super) fn register() -> Self {
        Self {
            check: OfMethod::register(Method::Check),
            docker_token: OfMethod::register(Method::DockerToken),
            issue: OfMethod::register(Method::Issue),
            management_read: OfMethod::register(Method::ManagementRead),
            notification: OfMethod::register(Method::Notification),
            policy_change: OfMethod::register(Method::PolicyChange),
            revoke: OfMethod::register(Method::Revoke),
            unreadable: OfMethod::register(Method::Unreadable),
            minted: counter!(ACCESS_TOKENS, "source" => "minted"),
            reused: counter!(ACCESS_TOKENS, "source" => "reused"),
            cache: cache::Handles::register(),
            commit_seconds: histogram!(AUDIT_COMMIT_SECONDS),
            batch_events: histogram!(AUDIT_BATCH_EVENTS),
            queued_events: gauge!(AUDIT_QUEUED_EVENTS),
        }
    }

    pub(super) fn decision(&self, method: Method, reason: Option<&'static str>, elapsed: Duration) {
        let own = self.of(method);
        match reason {
            None => own.allowed.increment(1),
            Some(reason) => {
                counter!(DECISIONS, "method" => method.as_str(), "outcome" => reason).increment(1);
            }
        }
        own.seconds.record(elapsed);
    }

    pub(super) fn access_token(&self, source: Source) {
        match source {
            Source::Minted => self.minted.increment(1),
            Source::Reused => self.reused.increment(1),
        }
    }

    pub(super) const fn cache(&self) -> &cache::Handles {
        &self.cache
    }

    pub(super) fn audit_commit(&self, events: usize, elapsed: Duration) {
        self.commit_seconds.record(elapsed);
        self.batch_events.record(number(events));
    }

    pub(super) fn audit_queued(&self, events: usize) {
        self.queued_events.set(number(events));
    }

    pub(super) fn begun(&self, method: Method) {
        self.of(method).in_flight.increment(1);
    }

    pub(super) fn ended(&self, method: Method) {
        self.of(method).in_flight.decrement(1);
    }

    const fn of(&self, method: Method) -> &OfMethod {
        match method {
            Method::Check => &self.check,
            Method::DockerToken => &self.docker_token,
            Method::Issue => &self.issue,
            Method::ManagementRead => &self.management_read,
            Method::Notification => &self.notification,
            Method::PolicyChange => &self.policy_change,
            Method::Revoke => &self.revoke,
            Method::Unreadable => &self.unreadable,
        }
    }
}

impl OfMethod {
    fn register(method: Method) -> Self {
        let method = method.as_str();
        Self {
            allowed: counter!(DECISIONS, "method" => method, "outcome" => "allowed"),
            seconds: histogram!(DECISION_SECONDS, "method" => method),
            in_flight: gauge!(IN_FLIGHT, "method" => method),
        }
    }
}
