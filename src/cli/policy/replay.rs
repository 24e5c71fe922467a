//! `dockpass policy replay`.

use std::time::Duration;

use clap::Args;
use futures_util::stream;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::file::{FileArgs, PruneArgs};
use super::upload::{options, pieces};
use super::{Failure, Process};
use crate::cli::api::{Api, ApiArgs};
use crate::cli::output::{self, OutputArgs};
use crate::cli::refusal::Refusal;
use crate::cli::wire;
use crate::pb;

/// Decide recorded requests again under a policy file, and show which would be decided otherwise; changes nothing
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    dockpass policy replay policy.toml --since 7d\n  \
    dockpass policy replay policy.toml --since 12h --output json\n\n\
    The exit code is 3 when something that was allowed would be refused: fit for the check of a pull request.")]
pub(in crate::cli) struct Replay {
    #[command(flatten)]
    file: FileArgs,
    #[command(flatten)]
    prune: PruneArgs,
    /// How far to look back, such as 7d or 12h
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = past)]
    since: Duration,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    api: ApiArgs,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Replayed {
    decided: u64,
    newly_allowed: u64,
    newly_refused: u64,
    changes: Vec<Redecided>,
}

/// A request that would be decided otherwise.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Redecided {
    decision_id: String,
    time: Option<Timestamp>,
    caller: String,
    request: String,
    /// `allowed` or `refused`.
    now: &'static str,
    reason: String,
}

impl Replay {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let text = self.file.text()?;
        let api = self.api.connect(process).await?;
        let replayed = self.ask(&api, &text).await?;
        self.output.print(process, &replayed, table)?;
        if replayed.newly_refused > 0 { Err(Failure::WouldBreak) } else { Ok(()) }
    }

    async fn ask(&self, api: &Api, text: &str) -> Result<Replayed, Failure> {
        let first = pb::ReplayPolicyRequest {
            options: Some(options(self.prune.keeps(), 0)),
            chunk: Vec::new(),
            since: Some(wire::duration(self.since)),
        };
        let rest = pieces(text)
            .into_iter()
            .map(|chunk| pb::ReplayPolicyRequest { chunk, ..Default::default() });
        let requests: Vec<_> = std::iter::once(first).chain(rest).collect();
        let answer = api.policy().replay_policy(stream::iter(requests)).await;
        let mut answer = answer.map_err(Refusal::from)?.into_inner();
        let mut replayed = Replayed::default();
        while let Some(message) = answer.message().await.map_err(Refusal::from)? {
            replayed.add(message);
        }
        Ok(replayed)
    }
}

impl Replayed {
    /// One request, or the summary, which names no decision.
    fn add(&mut self, message: pb::ReplayPolicyResponse) {
        if message.decision_id.is_empty() {
            self.decided = message.decided;
            self.newly_allowed = message.newly_allowed_count;
            self.newly_refused = message.newly_refused_count;
            return;
        }
        self.changes.push(Redecided {
            decision_id: message.decision_id,
            time: wire::optional_time(message.time.as_ref()),
            caller: message.caller,
            request: message.request,
            now: if message.newly_allowed { "allowed" } else { "refused" },
            reason: message.reason,
        });
    }
}

fn table(replayed: &Replayed) -> String {
    let sum = format!(
        "{} requests were decided again: {} would be newly allowed, {} newly refused",
        replayed.decided, replayed.newly_allowed, replayed.newly_refused
    );
    if replayed.changes.is_empty() {
        return sum;
    }
    let rows = replayed.changes.iter().map(|own| {
        let now = if own.reason.is_empty() { own.now.to_owned() } else { own.reason.clone() };
        [
            wire::time_text(own.time),
            now,
            own.caller.clone(),
            own.request.clone(),
            own.decision_id.clone(),
        ]
    });
    format!("{}\n\n{sum}", output::table(["time", "now", "who", "what", "decision"], rows))
}

fn past(text: &str) -> Result<Duration, String> {
    let malformed = || format!("`{text}` is not a duration: write it like 7d or 12h");
    // jiff reads no days in a duration of absolute length; here a day has 24 hours
    let length = match text.strip_suffix('d').map(str::parse::<u32>) {
        Some(Ok(days)) => Duration::from_secs(u64::from(days) * 86_400),
        _ => text
            .parse::<SignedDuration>()
            .ok()
            .and_then(|own| own.try_into().ok())
            .ok_or_else(malformed)?,
    };
    if length.is_zero() { Err(malformed()) } else { Ok(length) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_past_is_days_or_a_duration() {
        assert_eq!(past("7d").unwrap(), Duration::from_hours(168));
        assert_eq!(past("12h").unwrap(), Duration::from_hours(12));
        for bad in ["", "d", "0d", "soon", "-1h", "7"] {
            assert!(past(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_last_message_is_the_sum() {
        let mut replayed = Replayed::default();
        replayed.add(pb::ReplayPolicyResponse {
            decision_id: "0199".into(),
            caller: "job".into(),
            reason: "ACCESS_DENIED".into(),
            ..Default::default()
        });
        replayed.add(pb::ReplayPolicyResponse {
            decided: 5,
            newly_refused_count: 1,
            ..Default::default()
        });
        let shown = table(&replayed);
        assert!(shown.contains("ACCESS_DENIED  job"), "{shown}");
        assert!(
            shown.ends_with(
                "5 requests were decided again: 0 would be newly allowed, 1 newly refused"
            )
        );
    }
}
