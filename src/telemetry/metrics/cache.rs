//! The metrics of the cache.

use std::time::Duration;

use metrics::{
    Counter, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge,
    histogram,
};

use super::HANDLES;

/// Access tokens that were asked for, by where one was: `memory`, `redis`, or nowhere (`miss`).
const LOOKUPS: &str = "dockpass_cache_lookups_total";
/// How long Redis took to answer, by what it was asked, in seconds.
const REDIS_SECONDS: &str = "dockpass_cache_redis_seconds";
/// 1 while Redis is asked, 0 while it is left alone because it did not answer. Absent without a Redis.
const REDIS_UP: &str = "dockpass_cache_redis_up";
/// Answers of Redis that could not be used, by why.
const REDIS_TROUBLES: &str = "dockpass_cache_redis_troubles_total";
/// What was not written to Redis, by why.
const WRITES_DROPPED: &str = "dockpass_cache_writes_dropped_total";
/// Values on Redis that did not open: changed, swapped, or of another key.
const SEALS_FAILED: &str = "dockpass_cache_seals_failed_total";
/// Credentials that were taken back upstream, because another replica's stands or their event could not be recorded.
const WITHDRAWN: &str = "dockpass_cache_withdrawn_total";

/// Where an access token for reuse was.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CacheLookup {
    /// In this process.
    Memory,
    /// On Redis.
    Redis,
    /// Nowhere: it was minted.
    Miss,
}

/// What Redis is asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CacheQuestion {
    /// For a value.
    Look,
    /// For a value, or the right to mint it.
    Claim,
    /// To write something, which nobody waits for.
    Write,
    /// Whether it is there.
    Probe,
}

/// Counts a look for an access token.
pub fn cache_lookup(lookup: CacheLookup) {
    if let Some(handles) = HANDLES.get() {
        handles.cache().lookup(lookup);
    }
}

/// Counts a question to Redis, and how long it took.
pub fn cache_asked(question: CacheQuestion, elapsed: Duration) {
    if let Some(handles) = HANDLES.get() {
        handles.cache().asked(question, elapsed);
    }
}

/// Shows whether Redis is asked.
pub fn cache_redis_up(up: bool) {
    gauge!(REDIS_UP).set(if up { 1.0 } else { 0.0 });
}

/// Counts an answer of Redis that cannot be used; `why` is a word of a closed set.
pub fn cache_trouble(why: &'static str) {
    counter!(REDIS_TROUBLES, "why" => why).increment(1);
}

/// Counts something that was not written to Redis; `why` is a word of a closed set.
pub fn cache_write_dropped(why: &'static str) {
    counter!(WRITES_DROPPED, "why" => why).increment(1);
}

/// Counts a value that did not open.
pub fn cache_seal_failed() {
    counter!(SEALS_FAILED).increment(1);
}

/// Counts a credential that was taken back upstream.
pub fn cache_withdrawn() {
    counter!(WITHDRAWN).increment(1);
}

/// The handles of what many requests touch.
pub(super) struct Handles {
    memory: Counter,
    redis: Counter,
    miss: Counter,
    look: Histogram,
    claim: Histogram,
    write: Histogram,
    probe: Histogram,
}

impl Handles {
    pub(super) fn register() -> Self {
        Self {
            memory: counter!(LOOKUPS, "where" => "memory"),
            redis: counter!(LOOKUPS, "where" => "redis"),
            miss: counter!(LOOKUPS, "where" => "miss"),
            look: histogram!(REDIS_SECONDS, "question" => "look"),
            claim: histogram!(REDIS_SECONDS, "question" => "claim"),
            write: histogram!(REDIS_SECONDS, "question" => "write"),
            probe: histogram!(REDIS_SECONDS, "question" => "probe"),
        }
    }

    pub(super) fn lookup(&self, lookup: CacheLookup) {
        match lookup {
            CacheLookup::Memory => self.memory.increment(1),
            CacheLookup::Redis => self.redis.increment(1),
            CacheLookup::Miss => self.miss.increment(1),
        }
    }

    pub(super) fn asked(&self, question: CacheQuestion, elapsed: Duration) {
        match question {
            CacheQuestion::Look => self.look.record(elapsed),
            CacheQuestion::Claim => self.claim.record(elapsed),
            CacheQuestion::Write => self.write.record(elapsed),
            CacheQuestion::Probe => self.probe.record(elapsed),
        }
    }
}

pub(super) fn describe() {
    describe_counter!(LOOKUPS, "access tokens asked for, by where one was");
    describe_histogram!(REDIS_SECONDS, Unit::Seconds, "how long Redis took to answer");
    describe_gauge!(REDIS_UP, "1 while Redis is asked");
    describe_counter!(REDIS_TROUBLES, "answers of Redis that could not be used, by why");
    describe_counter!(WRITES_DROPPED, "what was not written to Redis, by why");
    describe_counter!(SEALS_FAILED, "values on Redis that did not open");
    describe_counter!(WITHDRAWN, "credentials taken back upstream");
}
