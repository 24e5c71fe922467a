//! What every refusal has to have: a code, a reason word, a decision id, and its event.

use dockpass::audit::Event;
use reqwest::StatusCode;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::{Answer, Site};

impl Site {
    /// The event of a refusal by gRPC, which has to be the one refused with `code` and `reason`.
    #[track_caller]
    pub(crate) fn refused(&self, status: &Status, code: Code, reason: &str) -> Event {
        assert_eq!(status.code(), code, "{status:?}");
        let details = status.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!((info.domain.as_str(), info.reason.as_str()), ("dockpass", reason));
        let retry = ["RATE_LIMITED", "OVERLOADED"].contains(&reason) || code == Code::Unavailable;
        assert_eq!(details.retry_info().is_some(), retry, "{details:?}");
        assert_eq!(details.quota_failure().is_some(), reason == "RATE_LIMITED", "{details:?}");
        assert_eq!(details.bad_request().is_some(), reason == "INVALID_REQUEST", "{details:?}");
        let event = self.event(&decision_id(status));
        assert_eq!(event.reason.unwrap().as_str(), reason);
        assert_eq!(event.grant, None);
        event
    }

    /// The event of a refusal by the token endpoint. `reason` is what the client is told; the event has its own.
    #[track_caller]
    pub(crate) fn refused_login(&self, answer: &Answer, status: StatusCode, reason: &str) -> Event {
        assert_eq!(answer.status, status, "{answer:?}");
        let detail = &answer.body["errors"][0]["detail"];
        assert_eq!(detail["reason"], reason, "{answer:?}");
        assert!(answer.body.get("token").is_none(), "{answer:?}");
        assert_eq!(answer.headers["cache-control"], "no-store");
        let event = self.event(detail["decisionId"].as_str().unwrap());
        assert!(event.reason.is_some(), "{event:?}");
        assert_eq!(event.grant, None);
        event
    }
}

/// The decision that refused.
#[track_caller]
pub(crate) fn decision_id(status: &Status) -> String {
    let details = status.get_error_details();
    details.error_info().unwrap().metadata["decision-id"].clone()
}
