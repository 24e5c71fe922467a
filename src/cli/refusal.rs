//! A refusal of the broker, as it is shown: the reason word, the decision, and what can be done.

use std::fmt;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::output::plain;
use crate::model::Reason;

/// What the broker answered instead of a result.
#[derive(Debug)]
pub struct Refusal {
    code: Code,
    /// The reason word; a transport between may answer without one.
    reason: Option<String>,
    message: String,
    decision_id: Option<String>,
    violations: Vec<(String, String)>,
    retry_after: Option<Duration>,
}

impl Refusal {
    /// True when the caller was told everything that an operator could find out.
    fn says_it_all(&self) -> bool {
        let plain = [
            Reason::AlreadyExists,
            Reason::EtagMismatch,
            Reason::InUse,
            Reason::InvalidRequest,
            Reason::LimitReached,
            Reason::NotFound,
            Reason::ReadOnly,
        ];
        let reason = self.reason.as_deref();
        plain.iter().any(|own| Some(own.as_str()) == reason)
    }

    /// True when policy says no: asking again in the same words will not help.
    pub(super) fn is_by_policy(&self) -> bool {
        let by_policy = [Reason::AccessDenied, Reason::NotEnforceable, Reason::RoleRequired];
        match &self.reason {
            Some(reason) => by_policy.iter().any(|word| word.as_str() == reason),
            None => self.code == Code::PermissionDenied,
        }
    }
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        let info = details.error_info();
        let violations = details.bad_request().map_or_else(Vec::new, |bad_request| {
            let pairs = bad_request.field_violations.iter();
            pairs
                .map(|violation| (violation.field.clone(), violation.description.clone()))
                .collect()
        });
        Self {
            code: status.code(),
            reason: info.map(|info| info.reason.clone()),
            message: status.message().to_owned(),
            decision_id: info.and_then(|info| info.metadata.get("decision-id").cloned()),
            violations,
            retry_after: details.retry_info().and_then(|info| info.retry_delay),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            Some(reason) => write!(f, "refused: {reason}: {}", plain(&self.message))?,
            None => write!(f, "the broker failed ({:?}): {}", self.code, plain(&self.message))?,
        }
        for (field, description) in &self.violations {
            write!(f, "\n  {}: {}", plain(field), plain(description))?;
        }
        if let Some(delay) = self.retry_after {
            write!(f, "\n  try again in {} s", delay.as_secs().max(1))?;
        }
        if let Some(id) = self.decision_id.as_ref().filter(|_| !self.says_it_all()) {
            write!(f, "\n  an operator sees why with: dockpass explain {}", plain(id))?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use tonic_types::ErrorDetails;

    use super::*;

    fn refusal(code: Code, reason: Reason) -> Refusal {
        let metadata = [("decision-id".to_owned(), "0199-id".to_owned())];
        let mut details = ErrorDetails::new();
        details
            .set_error_info(reason.as_str(), "dockpass", metadata)
            .set_retry_info(Some(Duration::from_secs(7)))
            .add_bad_request_violation("permissions[0].repository", "write it in lower case");
        Status::with_error_details(code, "no \u{1b}[2Jaccess", details).into()
    }

    #[test]
    fn a_refusal_shows_reason_fields_retry_and_what_an_operator_can_do() {
        let shown = refusal(Code::PermissionDenied, Reason::AccessDenied).to_string();
        assert_eq!(
            shown,
            "refused: ACCESS_DENIED: no \\u{1b}[2Jaccess\n  \
             permissions[0].repository: write it in lower case\n  \
             try again in 7 s\n  \
             an operator sees why with: dockpass explain 0199-id"
        );
    }

    #[test]
    fn what_the_caller_was_told_whole_needs_no_explanation() {
        let shown = refusal(Code::NotFound, Reason::NotFound).to_string();
        assert!(!shown.contains("dockpass explain"), "{shown}");
    }

    #[test]
    fn only_a_refusal_by_policy_has_the_exit_code_three() {
        for reason in Reason::ALL.iter().copied() {
            let expected = match reason {
                Reason::AccessDenied | Reason::NotEnforceable | Reason::RoleRequired => 3,
                _ => 1,
            };
            let failure = super::super::Failure::from(refusal(Code::FailedPrecondition, reason));
            assert_eq!(failure.exit_code(), expected, "{reason}");
        }
        let bare = Refusal::from(Status::permission_denied("a proxy says no"));
        assert!(bare.is_by_policy());
        assert_eq!(bare.to_string(), "the broker failed (PermissionDenied): a proxy says no");
    }
}
