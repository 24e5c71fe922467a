//! One log line and one count for each decision.

use std::fmt::{self, Display};
use std::time::Duration;

use super::metrics::{Method, record_decision};

/// A decision that was made. None of it is secret: ids, words of closed sets, an address, and the detail for operators.
#[derive(Clone, Copy)]
pub struct Decision<'a> {
    /// What was asked.
    pub method: Method,
    /// The decision id, under which the audit event stands.
    pub id: &'a dyn Display,
    /// Who is at the other end of the connection.
    pub peer: &'a dyn Display,
    /// The trace that the call belongs to, where it has one.
    pub trace: Option<&'a str>,
    /// How it ended.
    pub outcome: Outcome<'a>,
    /// How long it took.
    pub elapsed: Duration,
}

/// How a decision ended.
#[derive(Clone, Copy)]
pub enum Outcome<'a> {
    /// It was allowed.
    Allowed,
    /// It was refused.
    Refused {
        /// The reason word.
        reason: &'static str,
        /// Whose fault it is: the level of the log line follows.
        blame: Blame,
        /// What an operator wants to know besides.
        detail: &'a dyn Display,
    },
}

/// Whose fault a refusal is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Blame {
    /// The caller's, in the ordinary course of things: logged at info.
    Caller,
    /// The caller's, and worth a look, such as an identity that does not verify: logged at warn.
    Suspect,
    /// Ours, or a part's that we rest on: logged at error.
    Us,
}

/// Logs and counts a decision: once, when it is made.
pub fn decision(decision: &Decision<'_>) {
    record_decision(decision.method, decision.outcome.reason(), decision.elapsed);
    match decision.outcome {
        Outcome::Allowed => log_allowed(decision),
        Outcome::Refused { reason, blame, detail } => log_refused(decision, reason, blame, detail),
    }
}

/// At debug: the audit trail has it, and a line for each would cost more than the decision.
fn log_allowed(decision: &Decision<'_>) {
    let Decision { method, id, peer, trace, elapsed, .. } = *decision;
    tracing::debug!(
        decision_id = %id,
        method = method.as_str(),
        %peer,
        trace,
        elapsed_ms = milliseconds(elapsed),
        "allowed"
    );
}

fn log_refused(decision: &Decision<'_>, reason: &str, blame: Blame, detail: &dyn Display) {
    macro_rules! line {
        ($level:ident) => {{
            let Decision { method, id, peer, trace, elapsed, .. } = *decision;
            tracing::$level!(
                decision_id = %id,
                method = method.as_str(),
                reason,
                %peer,
                trace,
                elapsed_ms = milliseconds(elapsed),
                detail = %detail,
                "refused"
            );
        }};
    }
    match blame {
        Blame::Caller => line!(info),
        Blame::Suspect => line!(warn),
        Blame::Us => line!(error),
    }
}

/// With fractions: most decisions take less than one.
fn milliseconds(elapsed: Duration) -> f64 {
    elapsed.as_secs_f64() * 1000.0
}

impl Outcome<'_> {
    const fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Allowed => None,
            Self::Refused { reason, .. } => Some(reason),
        }
    }
}

impl fmt::Debug for Outcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason().unwrap_or("allowed"))
    }
}

impl fmt::Debug for Decision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {:?}", self.id, self.method.as_str(), self.outcome)
    }
}

#[cfg(test)]
mod tests {
    use tracing::subscriber::with_default;

    use super::*;
    use crate::telemetry::tests::Lines;

    fn logged(outcome: Outcome<'_>, trace: Option<&str>) -> serde_json::Value {
        let lines = Lines::default();
        with_default(lines.subscriber(), || {
            decision(&Decision {
                method: Method::Issue,
                id: &"the-id",
                peer: &"192.0.2.1",
                trace,
                outcome,
                elapsed: Duration::from_micros(1500),
            });
        });
        serde_json::from_str(&lines.text()).expect("exactly one line of JSON")
    }

    #[test]
    fn a_decision_is_one_line_with_its_fields() {
        let line = logged(Outcome::Allowed, Some("00-trace"));
        for (field, value) in [
            ("level", "DEBUG"),
            ("message", "allowed"),
            ("decision_id", "the-id"),
            ("method", "issue"),
            ("peer", "192.0.2.1"),
            ("trace", "00-trace"),
        ] {
            assert_eq!(line[field], value, "{line}");
        }
        assert_eq!(line["elapsed_ms"], 1.5);
    }

    #[test]
    fn the_level_of_a_refusal_says_who_is_to_blame() {
        for (blame, level) in
            [(Blame::Caller, "INFO"), (Blame::Suspect, "WARN"), (Blame::Us, "ERROR")]
        {
            let detail = &"no token admits this identity";
            let line = logged(Outcome::Refused { reason: "ACCESS_DENIED", blame, detail }, None);
            assert_eq!(line["level"], level);
            assert_eq!(line["reason"], "ACCESS_DENIED");
            assert_eq!(line["detail"], "no token admits this identity");
            assert_eq!(line.get("trace"), None);
        }
    }
}
