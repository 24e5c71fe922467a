//! Callers that ask replicas for credentials, check them and exchange them, and a record of how each request ended.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use dockpass::pb::Action::{ContentRead, ContentWrite};
use dockpass::pb::access_service_client::AccessServiceClient;
use dockpass::pb::{AccessToken, CheckAccessRequest, IssueAccessTokenRequest};
use parking_lot::Mutex;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::caller::{Caller, Failure, Outcome};
use super::exchange::Exchange;
use super::{AUDIENCE, Issuer, Replicas, github, permission, with_bearer};

/// How many callers there are.
const CALLERS: usize = 12;
/// Each asks this often, unless an answer takes longer.
const EVERY: Duration = Duration::from_millis(60);
/// A caller gets a new identity token after so many requests.
const REQUESTS_AN_IDENTITY: u64 = 24;
/// Of so many subjects a caller. There is always one for whom nothing was minted yet, and what is kept for all of them fits everywhere.
const SUBJECTS: u64 = 64;
/// The longest that a test waits for requests to end.
const PATIENCE: Duration = Duration::from_mins(1);

/// Credentials by how they were given (the kind of the event) and the access token that they belong to, with their number.
pub(crate) type Credentials = BTreeMap<(String, String), usize>;

/// How a request ended.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) began: Instant,
    pub(crate) ended: Instant,
    pub(crate) retried: bool,
    pub(crate) failure: Option<Failure>,
}

/// How all requests ended, and what was received.
#[derive(Default)]
pub(crate) struct Record {
    samples: Mutex<Vec<Sample>>,
    received: Mutex<Credentials>,
    ended: watch::Sender<usize>,
}

impl Record {
    /// The requests that began at a time or later, and have ended.
    pub(crate) fn since(&self, time: Instant) -> Vec<Sample> {
        let samples = self.samples.lock();
        samples.iter().filter(|sample| sample.began >= time).cloned().collect()
    }

    /// The requests that ended at a time or later.
    pub(crate) fn ended_since(&self, time: Instant) -> Vec<Sample> {
        let samples = self.samples.lock();
        samples.iter().filter(|sample| sample.ended >= time).cloned().collect()
    }

    /// What was received, and how often.
    pub(crate) fn received(&self) -> Credentials {
        self.received.lock().clone()
    }

    fn receive(&self, how: &str, access_token: &str) {
        let credential = (how.to_owned(), access_token.to_owned());
        *self.received.lock().entry(credential).or_default() += 1;
    }

    fn add<T>(&self, began: Instant, outcome: Outcome<T>) -> Option<T> {
        let Outcome { result, retried } = outcome;
        let (answer, failure) = match result {
            Ok(answer) => (Some(answer), None),
            Err(failure) => (None, Some(failure)),
        };
        self.samples.lock().push(Sample { began, ended: Instant::now(), retried, failure });
        self.ended.send_modify(|ended| *ended += 1);
        answer
    }
}

/// A running load.
pub(crate) struct Load {
    record: Arc<Record>,
    stop: CancellationToken,
    callers: JoinSet<()>,
}

impl Load {
    /// Callers of all replicas.
    pub(crate) fn on(replicas: &Replicas) -> Self {
        let (record, stop) = (Arc::new(Record::default()), CancellationToken::new());
        let mut callers = JoinSet::new();
        for number in 0..CALLERS {
            let caller = Busy {
                number,
                caller: Caller::of(&replicas.grpc_urls(), number),
                exchange: Exchange::at(&replicas.token_url(), &replicas.service()),
                issuer: Arc::clone(&replicas.issuer),
                record: Arc::clone(&record),
                identity: String::new(),
                session: None,
            };
            callers.spawn(caller.work(stop.clone()));
        }
        Self { record, stop, callers }
    }

    /// How requests ended until now.
    pub(crate) fn record(&self) -> &Record {
        &self.record
    }

    /// Waits until so many more requests ended.
    pub(crate) async fn more(&self, requests: usize) {
        let mut ended = self.record.ended.subscribe();
        let wanted = *ended.borrow() + requests;
        let waiting = ended.wait_for(|ended| *ended >= wanted);
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        waited.unwrap_or_else(|_| panic!("requests do not end")).unwrap();
    }

    /// Waits until so many requests succeeded that began after now, and after the last one that failed.
    pub(crate) async fn healthy(&self, requests: usize) {
        let now = Instant::now();
        let row = async {
            loop {
                self.more(1).await;
                let samples = self.record.ended_since(now);
                let failed = samples.iter().filter(|sample| sample.failure.is_some());
                let after = failed.map(|sample| sample.ended).max().unwrap_or(now);
                if samples.iter().filter(|sample| sample.began > after).count() >= requests {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, row).await.unwrap_or_else(|_| {
            panic!("the requests do not succeed again: {:#?}", self.record.ended_since(now).last())
        });
    }

    /// Lets it run for a time.
    pub(crate) async fn run(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }

    /// Ends it, after the requests that are under way.
    pub(crate) async fn stop(mut self) -> Arc<Record> {
        self.stop.cancel();
        while let Some(ended) = self.callers.join_next().await {
            ended.unwrap();
        }
        self.record
    }
}

/// One of the callers.
struct Busy {
    number: usize,
    caller: Caller,
    exchange: Exchange,
    issuer: Arc<Issuer>,
    record: Arc<Record>,
    identity: String,
    session: Option<AccessToken>,
}

impl Busy {
    async fn work(mut self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for turn in 0.. {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            if turn % REQUESTS_AN_IDENTITY == 0 {
                self.identity = self.identity(turn / REQUESTS_AN_IDENTITY % SUBJECTS);
            }
            match turn % 4 {
                0 => self.issue(true).await,
                1 | 2 => self.issue(false).await,
                _ if turn % 8 == 3 => self.check().await,
                _ => self.exchange().await,
            }
        }
    }

    fn identity(&self, subject: u64) -> String {
        let mut claims = github("123456", "refs/heads/main");
        claims["sub"] = json!(format!("caller-{}-{subject}", self.number));
        self.issuer.token(AUDIENCE, &claims)
    }

    async fn issue(&mut self, fresh: bool) {
        let request = IssueAccessTokenRequest {
            registry: "local".to_owned(),
            permissions: vec![permission("servers/nginx", &[ContentRead, ContentWrite])],
            fresh,
            ..Default::default()
        };
        let (began, identity) = (Instant::now(), &self.identity);
        let outcome = self.caller.call(|channel| {
            let request = with_bearer(request.clone(), identity);
            async move {
                let answer = AccessServiceClient::new(channel).issue_access_token(request).await?;
                Ok(answer.into_inner().access_token.unwrap())
            }
        });
        if let Some(token) = self.record.add(began, outcome.await) {
            self.record.receive("issue", &token.id);
            self.session = Some(token);
        }
    }

    async fn check(&mut self) {
        let request = CheckAccessRequest {
            registry: "local".to_owned(),
            permissions: vec![permission("servers/nginx", &[ContentRead])],
            ..Default::default()
        };
        let (began, identity) = (Instant::now(), &self.identity);
        let outcome = self.caller.call(|channel| {
            let request = with_bearer(request.clone(), identity);
            async move { AccessServiceClient::new(channel).check_access(request).await.map(drop) }
        });
        self.record.add(began, outcome.await);
    }

    async fn exchange(&mut self) {
        let Some(session) = &self.session else { return };
        let began = Instant::now();
        let outcome = self.exchange.exchange(&session.username, &session.password);
        if self.record.add(began, outcome.await).is_some() {
            self.record.receive("exchange", &session.id);
        }
    }
}
