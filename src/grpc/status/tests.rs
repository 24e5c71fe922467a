use std::time::Duration;

use jiff::Timestamp;
use tonic_types::StatusExt;

use super::*;
use crate::model::{DecisionId, Reason};

const INTERNALS: &str = "canary-of-the-inside";
const LATER: Duration = Duration::from_secs(7);

/// One error of each cause, with a canary wherever a text from inside stands.
fn all() -> Vec<Error> {
    let inside = || INTERNALS.to_owned();
    let issuer = || identity::Error::IssuerUnavailable {
        issuer: inside(),
        problem: inside(),
        retry_after: LATER,
    };
    let invalid = identity::Error::Invalid {
        check: identity::Check::Algorithm,
        claimed_issuer: Some(inside()),
    };
    let registry_unavailable =
        registry::Error::Unavailable { registry: inside(), problem: inside(), retry_after: LATER };
    vec![
        audit::Error::Unavailable { problem: inside(), retry_after: LATER }.into(),
        audit::Error::Overloaded.into(),
        Error::DeadlineExceeded,
        identity::Error::Config { issuer: inside(), problem: inside() }.into(),
        invalid.into(),
        issuer().into(),
        identity::Error::Missing.into(),
        Error::Internal(inside()),
        Error::InvalidRequest(vec![violation("permissions[2].repository", "lower case")]),
        Error::NotRevocable(Timestamp::UNIX_EPOCH),
        Error::Overloaded { retry_after: LATER },
        Error::RateLimited { subject: "identity", retry_after: LATER },
        registry::Error::Config(inside()).into(),
        registry::Error::Denied { registry: inside(), problem: inside() }.into(),
        registry::Error::Internal(inside()).into(),
        registry::Error::NotEnforceable { hint: "ask for 5 minutes".to_owned() }.into(),
        registry::Error::Overgrant { registry: inside(), problem: inside() }.into(),
        registry_unavailable.into(),
        Error::SessionExpired,
        Error::AlreadyExists("there".to_owned()),
        Error::EtagMismatch,
        Error::InUse("used".to_owned()),
        Error::LimitReached("too large".to_owned()),
        Error::NotFound("not there".to_owned()),
        Error::ReadOnly("fixed".to_owned()),
        Error::RoleRequired(crate::broker::Role::Editor),
        Error::Store { problem: inside(), retry_after: LATER },
    ]
}

/// The codes of contract.md, section 1.
fn wanted(reason: Reason) -> Code {
    match reason {
        Reason::InvalidRequest => Code::InvalidArgument,
        Reason::IdentityMissing | Reason::IdentityInvalid => Code::Unauthenticated,
        Reason::AccessDenied | Reason::RoleRequired => Code::PermissionDenied,
        Reason::NotEnforceable | Reason::NotRevocable | Reason::InUse | Reason::ReadOnly => {
            Code::FailedPrecondition
        }
        Reason::RateLimited | Reason::Overloaded | Reason::LimitReached => Code::ResourceExhausted,
        Reason::IssuerUnavailable
        | Reason::RegistryUnavailable
        | Reason::StoreUnavailable
        | Reason::AuditUnavailable => Code::Unavailable,
        Reason::RegistryDenied | Reason::RegistryOvergrant | Reason::Internal => Code::Internal,
        Reason::DeadlineExceeded => Code::DeadlineExceeded,
        Reason::NotFound => Code::NotFound,
        Reason::AlreadyExists => Code::AlreadyExists,
        Reason::EtagMismatch => Code::Aborted,
    }
}

fn violation(field: &str, description: &str) -> FieldViolation {
    FieldViolation { field: field.to_owned(), description: description.to_owned() }
}

fn refusal(error: Error) -> Refusal {
    Refusal { decision_id: DecisionId::new(Timestamp::UNIX_EPOCH), error }
}

#[test]
fn each_refusal_has_the_code_of_the_contract_and_exactly_one_error_info() {
    for error in all() {
        let refusal = refusal(error);
        let reason = refusal.error.reason();
        let answer = status(&refusal);
        assert_eq!(answer.code(), wanted(reason), "{reason}");
        let infos = answer.get_error_details_vec();
        let infos: Vec<_> = infos
            .into_iter()
            .filter_map(|detail| {
                if let tonic_types::ErrorDetail::ErrorInfo(info) = detail {
                    Some(info)
                } else {
                    None
                }
            })
            .collect();
        let [info] = &infos[..] else { panic!("{reason}: {infos:?}") };
        assert_eq!((&*info.domain, &*info.reason), ("dockpass", reason.as_str()));
        assert_eq!(info.metadata["decision-id"], refusal.decision_id.to_string());
    }
}

#[test]
fn nothing_from_inside_reaches_the_caller() {
    for error in all() {
        let answer = status(&refusal(error));
        let all = format!("{answer:?} {:?}", answer.get_error_details());
        assert!(!all.contains(INTERNALS), "{all}");
        let bytes = String::from_utf8_lossy(answer.details()).into_owned();
        assert!(!bytes.contains(INTERNALS), "{bytes}");
    }
}

#[test]
fn retry_info_is_there_where_a_retry_helps() {
    for error in all() {
        let refusal = refusal(error);
        let details = status(&refusal).get_error_details();
        let delay = details.retry_info().and_then(|info| info.retry_delay);
        assert_eq!(delay, refusal.error.retry_after(), "{}", refusal.error.reason());
    }
}

#[test]
fn a_rate_limit_says_whose_it_is() {
    let error = Error::RateLimited { subject: "address", retry_after: LATER };
    let details = status(&refusal(error)).get_error_details();
    assert_eq!(details.quota_failure().unwrap().violations[0].subject, "address");
}

#[test]
fn a_malformed_request_names_its_fields() {
    let error = Error::InvalidRequest(vec![violation("a", "wrong"), violation("b[1]", "too")]);
    let details = status(&refusal(error)).get_error_details();
    let fields = &details.bad_request().unwrap().field_violations;
    let fields: Vec<_> = fields.iter().map(|f| (&*f.field, &*f.description)).collect();
    assert_eq!(fields, [("a", "wrong"), ("b[1]", "too")]);
}

#[test]
fn violations_that_do_not_fit_in_the_trailers_are_counted() {
    let text = "x".repeat(200);
    let many = (0..100).map(|n| violation(&format!("permissions[{n}].repository"), &text));
    let answer = status(&refusal(Error::InvalidRequest(many.collect())));
    assert!(answer.details().len() < 6000, "{} bytes", answer.details().len());
    let details = answer.get_error_details();
    let fields = &details.bad_request().unwrap().field_violations;
    let last = fields.last().unwrap();
    assert_eq!(last.description, format!("and {} more", 100 - (fields.len() - 1)));
}

#[test]
fn what_cannot_be_recalled_tells_when_it_ends() {
    let answer = status(&refusal(Error::NotRevocable(Timestamp::UNIX_EPOCH)));
    assert!(answer.message().ends_with("1970-01-01T00:00:00Z"), "{}", answer.message());
    let details = answer.get_error_details();
    assert_eq!(details.error_info().unwrap().metadata["expire-time"], "1970-01-01T00:00:00Z");
}

#[test]
fn the_hint_of_what_is_not_enforceable_is_for_the_caller() {
    let hint = "ask for 5 minutes".to_owned();
    let answer = status(&refusal(registry::Error::NotEnforceable { hint }.into()));
    assert_eq!(answer.message(), "ask for 5 minutes");
}

#[test]
fn g7_every_identity_that_does_not_verify_gets_the_same_answer() {
    let invalid = |issuer: Option<&str>| {
        let claimed_issuer = issuer.map(str::to_owned);
        identity::Error::Invalid { check: identity::Check::Algorithm, claimed_issuer }.into()
    };
    let decision_id = DecisionId::new(Timestamp::UNIX_EPOCH);
    let answers: Vec<_> = [invalid(None), invalid(Some("https://known")), Error::SessionExpired]
        .into_iter()
        .map(|error| {
            let answer = status(&Refusal { decision_id, error });
            (answer.code(), answer.message().to_owned(), answer.details().to_vec())
        })
        .collect();
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
}
