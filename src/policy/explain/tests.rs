//! What an operator sees.

use serde_json::json;

use super::*;
use crate::model::Token;
use crate::policy::for_test::{
    OWN, after, context, credential, definitions, now, object, request, scope_map, token,
};

fn evidence(subject: &str) -> Evidence {
    Evidence::Workload {
        issuer: OWN.to_owned(),
        subject: subject.to_owned(),
        claims: object(json!({"ref": "refs/heads/fix", "run": 7})),
        expire_time: after(600),
    }
}

fn ci(name: &str, subject: &str) -> Token {
    let accepted =
        json!({"ref": ["refs/heads/main", "refs/tags/*"], "env": ["prod"], "run": ["7"]});
    token(
        name,
        "servers",
        vec![
            credential("main-branch", OWN, subject, accepted),
            credential("any-branch", OWN, "system:ci", json!({})),
        ],
    )
}

fn asked(tokens: Vec<Token>, subject: &str, wanted: &[(&str, &str)]) -> Trace {
    let map = scope_map("servers", &[("servers/*", "pull"), ("servers/nginx", "push")]);
    let definitions = definitions(vec![map], tokens);
    explain(&definitions, &context(), &evidence(subject), &request(wanted), now())
}

#[test]
fn a_denial_shows_each_condition_that_failed_and_the_value_seen() {
    let trace = asked(vec![ci("nginx-ci", "repo:*")], "other:ci", &[("servers/nginx", "push")]);
    assert_eq!(trace.summary, "denied: no token admits this identity");
    assert_eq!(
        trace.tokens[0].credentials[0].mismatches,
        [
            "subject: wanted `repo:*`, seen `other:ci`",
            "claim `env`: wanted \"prod\", seen no such claim",
            "claim `ref`: wanted \"refs/heads/main\" or \"refs/tags/*\", seen `\"refs/heads/fix\"`",
            "claim `run`: wanted \"7\", seen `7`",
        ]
    );
}

#[test]
fn a_denial_by_the_scope_map_shows_which_entries_match() {
    let wanted = [("servers/apache", "push"), ("servers/nginx", "push")];
    let trace = asked(vec![ci("nginx-ci", "repo:*")], "system:ci", &wanted);
    assert_eq!(
        trace.summary,
        "denied: token `nginx-ci` does not allow content/write on `servers/apache`"
    );
    let token = &trace.tokens[0];
    assert!(token.credentials[1].admits && !token.credentials[0].admits);
    assert_eq!(token.entries[0].pattern, "servers/*");
    assert_eq!(token.entries[0].matches, ["servers/apache", "servers/nginx"]);
    assert_eq!(token.entries[1].matches, ["servers/nginx"]);
}

#[test]
fn an_allowed_request_names_token_scope_map_and_end() {
    let trace = asked(vec![ci("nginx-ci", "repo:*")], "system:ci", &[("servers/nginx", "push")]);
    assert!(trace.allowed);
    assert_eq!(trace.summary, "allowed by token `nginx-ci` under scope map `servers` for 15m");
    assert_eq!(trace.expire_time, Some(after(900)));
}

#[test]
fn of_many_tokens_the_nearest_are_listed_and_the_rest_counted() {
    let mut tokens: Vec<Token> = (0..300).map(|n| ci(&format!("token-{n:03}"), "repo:*")).collect();
    for token in &mut tokens[..299] {
        token.federated_credentials.pop();
    }
    let foreign = credential("ci", "https://elsewhere.example", "system:ci", json!({}));
    tokens.push(token("a-stranger", "servers", vec![foreign]));
    let trace = asked(tokens, "system:ci", &[("servers/apache", "push")]);
    assert_eq!((trace.tokens.len(), trace.omitted_tokens), (MAX_TOKENS, 200));
    assert!(trace.tokens.iter().any(|token| token.name == "token-299"));
    assert!(trace.tokens.iter().all(|token| token.name != "a-stranger"));
}

#[test]
fn values_of_strangers_are_shortened_and_made_printable() {
    let subject = format!("\u{1b}[31m{}", "x".repeat(10_000));
    let trace = asked(vec![ci("nginx-ci", "repo:*")], &subject, &[("servers/nginx", "pull")]);
    let seen = &trace.tokens[0].credentials[0].mismatches[0];
    assert!(seen.len() < 300 && !seen.contains('\u{1b}'), "{seen}");
}
