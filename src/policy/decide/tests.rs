//! Which token, which permissions, how long.

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::identity::{Kind, PasswordEntry, for_test as identities};
use crate::model::{AccessTokenId, CredentialRef, Definitions, PasswordSlot, RegistryUid, Token};
use crate::policy::admission::Grounds;
use crate::policy::boundaries::Slot;
use crate::policy::for_test::{
    OWN, after, compile, credential, definitions, lifetime, now, password, permissions_of, request,
    scope_map, token, workload,
};
use crate::policy::names::Names;
use crate::policy::place::Place;
use crate::seal::{Ceiling, Session};

fn caller() -> Identity {
    workload(OWN, "system:ci", json!({"ref": "main"}))
}

/// A token that admits [`caller`].
fn open_to_caller(name: &str, scope_map: &str) -> Token {
    token(name, scope_map, vec![credential("ci", OWN, "system:ci", json!({}))])
}

/// `web-push` allows push on `web`, `db-pull` pull on `db`.
fn two_tokens() -> Definitions {
    definitions(
        vec![scope_map("web-push", &[("web", "push")]), scope_map("db-pull", &[("db", "pull")])],
        vec![open_to_caller("z-web", "web-push"), open_to_caller("a-database", "db-pull")],
    )
}

fn named(denial: &Denial) -> String {
    denial.to_string()
}

#[test]
fn c6_two_tokens_that_allow_it_only_together_are_not_added_up() {
    let snapshot = compile(two_tokens());
    let both = request(&[("web", "push"), ("db", "pull")]);
    let caller = caller();
    let denial = decide(&snapshot, &caller, &both, now()).unwrap_err();
    assert!(matches!(denial, Denial::OutsideScopeMap { .. }), "{denial}");
    let permit = decide_available(&snapshot, &caller, &both, now()).unwrap();
    assert_eq!(permit.token_name().as_str(), "a-database");
    assert_eq!(permit.permissions(), &permissions_of(&[("db", "pull")]));
}

#[test]
fn the_first_token_by_name_that_allows_it_is_taken_and_a_named_one_only() {
    let mut tokens = two_tokens();
    tokens.tokens.push(open_to_caller("b-web-too", "web-push"));
    let snapshot = compile(tokens);
    let mut wanted = request(&[("web", "pull")]);
    let chosen = |wanted: &AccessRequest| {
        decide(&snapshot, &caller(), wanted, now()).map(|p| p.token_name().to_string())
    };
    assert_eq!(chosen(&wanted).unwrap(), "b-web-too");
    wanted.token_name = Some("z-web".parse().unwrap());
    assert_eq!(chosen(&wanted).unwrap(), "z-web");
    wanted.token_name = Some("a-database".parse().unwrap());
    assert!(matches!(chosen(&wanted), Err(Denial::OutsideScopeMap { .. })));
    wanted.token_name = Some("nobody".parse().unwrap());
    assert!(matches!(chosen(&wanted), Err(Denial::UnknownToken { .. })));
}

#[test]
fn f1_who_asks_pull_gets_only_pull() {
    let (snapshot, caller, pull) = (compile(two_tokens()), caller(), request(&[("web", "pull")]));
    let permit = decide(&snapshot, &caller, &pull, now());
    assert_eq!(permit.unwrap().permissions(), &permissions_of(&[("web", "pull")]));
}

#[test]
fn f2_of_several_scopes_the_token_endpoint_grants_what_one_token_allows() {
    let snapshot = compile(two_tokens());
    let available = |wanted: &[(&str, &str)]| {
        let (caller, wanted) = (caller(), request(wanted));
        let permit = decide_available(&snapshot, &caller, &wanted, now()).unwrap();
        (permit.token_name().to_string(), permit.permissions().to_string())
    };
    let is = |token: &str, permissions: &str| (token.to_owned(), permissions.to_owned());
    // all by one token is better than an earlier name
    assert_eq!(available(&[("web", "pull")]), is("z-web", "web:content/read"));
    assert_eq!(
        available(&[("web", "push"), ("x", "pull")]),
        is("z-web", "web:content/read,content/write")
    );
    assert_eq!(available(&[("db", "push")]), is("a-database", "db:content/read"));
    // nothing of it: a login
    assert_eq!(available(&[("x", "pull")]), is("a-database", ""));
    assert_eq!(available(&[]), is("a-database", ""));
    let stranger = workload(OWN, "system:stranger", json!({}));
    assert_eq!(
        decide_available(&snapshot, &stranger, &request(&[]), now()).unwrap_err(),
        Denial::NoToken
    );
}

#[test]
fn a_disabled_or_ended_token_admits_nobody() {
    let mut tokens = two_tokens();
    tokens.tokens[0].status = Status::Disabled;
    tokens.tokens[1].expire_time = Some(now());
    let snapshot = compile(tokens);
    let denied = |wanted: &[(&str, &str)]| {
        let denial = decide_available(&snapshot, &caller(), &request(wanted), now()).unwrap_err();
        named(&denial)
    };
    assert_eq!(denied(&[("web", "pull")]), "token `a-database` has expired");
    let mut wanted = request(&[("web", "pull")]);
    wanted.token_name = Some("z-web".parse().unwrap());
    let denial = decide(&snapshot, &caller(), &wanted, now()).unwrap_err();
    assert_eq!(named(&denial), "token `z-web` is disabled");
}

#[test]
fn f12_nobody_pulls_what_the_token_anonymous_allows_and_never_pushes() {
    let maps = vec![scope_map("public", &[("public/*", "push content/delete")])];
    let mut tokens = vec![token("not-anonymous", "public", Vec::new())];
    let denied = compile(definitions(maps.clone(), tokens.clone()));
    let (nobody, pull) = (identities::anonymous(), request(&[("public/a", "pull")]));
    assert_eq!(decide(&denied, &nobody, &pull, now()).unwrap_err(), Denial::NoToken);
    tokens.push(token("anonymous", "public", Vec::new()));
    let snapshot = compile(definitions(maps, tokens));
    let permit = decide(&snapshot, &nobody, &pull, now()).unwrap();
    assert_eq!(permit.credential(), CredentialRef::Anonymous);
    for word in ["push", "content/delete", "metadata/read"] {
        assert!(decide(&snapshot, &nobody, &request(&[("public/a", word)]), now()).is_err());
    }
    let push = request(&[("public/a", "push")]);
    let part = decide_available(&snapshot, &nobody, &push, now()).unwrap();
    assert_eq!(part.permissions(), &permissions_of(&[("public/a", "pull")]));
}

#[test]
fn g1_the_lifetime_is_the_least_of_all_bounds() {
    type Narrow = fn(&mut Definitions, &mut AccessRequest);
    let bounds: [(&str, u64, Narrow); 7] = [
        ("the default", 900, |_, _| {}),
        ("asked for", 120, |_, r| r.lifetime = Some(lifetime(120))),
        ("the registry's", 7200, |_, r| r.lifetime = Some(lifetime(100_000))),
        ("the scope map's", 300, |d, _| d.scope_maps[0].max_lifetime = Some(lifetime(300))),
        ("the credential's", 240, |d, _| {
            d.tokens[0].federated_credentials[0].max_lifetime = Some(lifetime(240));
        }),
        ("what the token has left", 61, |d, _| d.tokens[0].expire_time = Some(after(61))),
        ("what the identity has left", 600, |d, _| {
            d.tokens[0].federated_credentials[0].bind_to_identity_expiry = true;
        }),
    ];
    for (name, seconds, narrow) in bounds {
        let (mut definitions, mut wanted) = (two_tokens(), request(&[("web", "pull")]));
        narrow(&mut definitions, &mut wanted);
        let (snapshot, caller) = (compile(definitions), caller());
        let permit = decide(&snapshot, &caller, &wanted, now()).unwrap();
        assert_eq!(permit.lifetime(), lifetime(seconds), "{name}");
    }
}

#[test]
fn g1_less_than_a_minute_left_is_denied_not_rounded_up() {
    let mut definitions = two_tokens();
    definitions.tokens[0].expire_time = Some(after(59));
    let (snapshot, caller, pull) = (compile(definitions), caller(), request(&[("web", "pull")]));
    let denial = decide(&snapshot, &caller, &pull, now());
    assert_eq!(denial.unwrap_err(), Denial::EndsTooSoon { token_name: "z-web".parse().unwrap() });
}

#[test]
fn of_several_credentials_of_a_token_the_one_that_allows_longest_is_taken() {
    let mut definitions = two_tokens();
    let mut short = credential("a-short", OWN, "system:*", json!({}));
    short.max_lifetime = Some(lifetime(60));
    let also = credential("a-later", OWN, "", json!({"ref": ["main"]}));
    definitions.tokens[0].federated_credentials.extend([short, also]);
    let (snapshot, caller, pull) = (compile(definitions), caller(), request(&[("web", "pull")]));
    let permit = decide(&snapshot, &caller, &pull, now()).unwrap();
    assert_eq!(permit.credential().to_string(), "federated credential a-later");
    assert_eq!(permit.lifetime(), Lifetime::DEFAULT);
}

fn entry(token: &Token, generation: u64) -> PasswordEntry {
    PasswordEntry {
        registry: token.registry.clone(),
        token: token.uid,
        token_name: token.name.clone(),
        slot: PasswordSlot::Password1,
        generation,
        expire_time: None,
    }
}

#[test]
fn a_password_is_its_own_token_only_and_ends_with_its_filling() {
    let mut definitions = two_tokens();
    definitions.tokens[0].passwords.push(password(PasswordSlot::Password1, 3, 1));
    let own = definitions.tokens[0].clone();
    let with = |generation| identities::password(entry(&own, generation));
    let snapshot = compile(definitions.clone());
    let pull = request(&[("web", "pull")]);
    assert_eq!(decide(&snapshot, &with(3), &pull, now()).unwrap().holder(), "z-web");
    assert_eq!(decide(&snapshot, &with(2), &pull, now()).unwrap_err(), Denial::PasswordGone);
    assert!(decide(&snapshot, &with(3), &request(&[("db", "pull")]), now()).is_err());
    let other = AccessRequest { token_name: Some("a-database".parse().unwrap()), ..pull.clone() };
    assert!(matches!(decide(&snapshot, &with(3), &other, now()), Err(Denial::NotAdmitted { .. })));
    let elsewhere = AccessRequest { registry: "other".parse().unwrap(), ..pull.clone() };
    assert!(matches!(
        decide(&snapshot, &with(3), &elsewhere, now()),
        Err(Denial::OtherRegistry { .. })
    ));
    definitions.tokens[0].passwords[0].expire_time = Some(after(90));
    let (snapshot, holder) = (compile(definitions), with(3));
    let permit = decide(&snapshot, &holder, &pull, now()).unwrap();
    assert_eq!(permit.lifetime(), lifetime(90));
    let late = decide(&snapshot, &holder, &pull, after(90));
    assert_eq!(late.unwrap_err(), Denial::PasswordGone);
}

/// A session on the federated credential `ci` of `z-web`, with ten minutes left.
fn session(definitions: &Definitions, ceiling: Ceiling) -> Session {
    Session {
        id: AccessTokenId::new(now()),
        registry: RegistryUid([1; 16]),
        token: definitions.tokens[0].uid,
        credential: CredentialRef::Federated { name: "ci".parse().unwrap(), revision: 1 },
        holder: "someone".to_owned(),
        ceiling,
        expire_time: after(600),
    }
}

#[test]
fn a_session_gets_what_was_wanted_and_given_and_is_still_allowed() {
    let mut definitions = two_tokens();
    let ceiling = Ceiling::Permissions(permissions_of(&[("web", "pull"), ("gone", "pull")]));
    let pull_only = identities::session(session(&definitions, ceiling));
    let push = request(&[("web", "push"), ("gone", "pull")]);
    let snapshot = compile(definitions.clone());
    let permit = decide_available(&snapshot, &pull_only, &push, now()).unwrap();
    assert_eq!(permit.permissions(), &permissions_of(&[("web", "pull")]));
    assert_eq!(permit.lifetime(), lifetime(600));
    let login = identities::session(session(&definitions, Ceiling::ScopeMap));
    let permit = decide_available(&snapshot, &login, &push, now()).unwrap();
    assert_eq!(permit.permissions(), &permissions_of(&[("web", "push")]));
    definitions.scope_maps[0] = scope_map("web-push", &[("elsewhere", "push")]);
    let snapshot = compile(definitions);
    let permit = decide_available(&snapshot, &login, &push, now()).unwrap();
    assert!(permit.permissions().is_empty());
}

#[test]
fn f10_a_session_ends_with_its_token_its_credential_its_registry_and_its_time() {
    let definitions = two_tokens();
    let whole = session(&definitions, Ceiling::ScopeMap);
    let denied = |definitions: Definitions, session: Session| {
        let identity = identities::session(session);
        decide(&compile(definitions), &identity, &request(&[("web", "pull")]), now()).unwrap_err()
    };
    let ended = Session { expire_time: after(59), ..whole.clone() };
    assert_eq!(denied(definitions.clone(), ended), Denial::SessionExpired);
    let foreign = Session { registry: RegistryUid([2; 16]), ..whole.clone() };
    assert!(matches!(denied(definitions.clone(), foreign), Denial::OtherRegistry { .. }));
    let anonymous = Session { credential: CredentialRef::Anonymous, ..whole.clone() };
    assert_eq!(denied(definitions.clone(), anonymous), Denial::SessionGone);
    // deleted, and made again under its name
    let mut again = definitions.clone();
    again.tokens[0].uid = crate::policy::for_test::uid();
    assert_eq!(denied(again, whole.clone()), Denial::SessionGone);
    let mut changed = definitions.clone();
    changed.tokens[0].federated_credentials[0].revision = 2;
    assert_eq!(denied(changed, whole.clone()), Denial::SessionGone);
    let mut removed = definitions.clone();
    removed.tokens[0].federated_credentials.clear();
    assert_eq!(denied(removed, whole.clone()), Denial::SessionGone);
    let mut disabled = definitions;
    disabled.tokens[0].status = Status::Disabled;
    assert!(matches!(denied(disabled, whole), Denial::TokenDisabled { .. }));
}

#[test]
fn an_unknown_registry_and_an_empty_policy_deny() {
    let unknown =
        AccessRequest { registry: "nowhere".parse().unwrap(), ..request(&[("web", "pull")]) };
    let snapshot = compile(Definitions::default());
    assert!(matches!(
        decide(&snapshot, &caller(), &unknown, now()),
        Err(Denial::UnknownRegistry { .. })
    ));
    assert_eq!(decide(&snapshot, &caller(), &request(&[]), now()).unwrap_err(), Denial::NoToken);
}

#[test]
fn a_place_whose_credential_is_not_there_permits_nothing() {
    let snapshot = compile(two_tokens());
    let wanted = request(&[("db", "pull")]);
    let query = Query {
        registry: snapshot.registry(&wanted.registry).unwrap(),
        request: &wanted,
        now: now(),
        least: Reach::All,
    };
    let caller = caller();
    let Kind::Workload(workload) = caller.kind() else { panic!("it is a workload") };
    let whole = Arc::clone(query.registry.token("a-database").unwrap());
    let principal = query.registry.principal(&whole).unwrap();
    let permit = |place: &Place| {
        let grounds = Grounds::Workload(workload, place);
        let offer = query.offer(Admission { principal, grounds })?;
        query.permit(&offer, 1).map(|permit| permit.credential().to_string())
    };
    let mut place = Place::new(&whole, 0, Slot::default(), &mut Names::default()).unwrap();
    assert_eq!(permit(&place).unwrap(), "federated credential ci");
    place.token = Arc::new(Token { federated_credentials: Vec::new(), ..Token::clone(&whole) });
    assert_eq!(permit(&place), Err(Denial::NoToken));
}
