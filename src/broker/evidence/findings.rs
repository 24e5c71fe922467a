//! What an auditor should look at in a token, one sentence each.

use jiff::Timestamp;

use super::last_use::LastUses;
use crate::model::{Password, ScopeMap, Status, Token};

/// The findings of one token.
pub(super) fn findings(
    token: &Token,
    map: Option<&ScopeMap>,
    last: &LastUses,
    (since, now): (Timestamp, Timestamp),
    is_complete: bool,
) -> Vec<String> {
    let mut findings = Vec::new();
    if map.is_none() {
        findings.push(format!("its scope map `{}` is gone: it gives nothing", token.scope_map));
    }
    if token.status == Status::Disabled {
        findings.push("it is disabled: delete it when nobody needs it any more".to_owned());
    }
    if let Some(end) = token.expire_time.filter(|end| *end <= now) {
        findings.push(format!("it expired at {end:.0} and is still there: delete it"));
    }
    findings.extend(token.passwords.iter().filter_map(|password| of_password(password, now)));
    if token.passwords.is_empty() && token.federated_credentials.is_empty() {
        findings.push(
            "nothing can act as it: it has no password and no federated credential".to_owned(),
        );
    }
    findings.extend(of_use(last, since));
    if !is_complete {
        findings.push("it is used so much that not all of the window was looked at".to_owned());
    }
    findings
}

fn of_password(password: &Password, now: Timestamp) -> Option<String> {
    let slot = password.slot;
    match password.expire_time {
        None => Some(format!("{slot} never expires: generate it anew with an end")),
        Some(end) if end <= now => {
            Some(format!("{slot} expired at {end:.0} and is still there: delete it"))
        }
        Some(_) => None,
    }
}

fn of_use(last: &LastUses, since: Timestamp) -> Option<String> {
    match last.token {
        None => Some("it was never used, as far as the audit trail goes back".to_owned()),
        Some(time) if time < since => Some(format!("it was last used at {time:.0}")),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::model::{PasswordSecret, PasswordSlot, Text, TokenUid};

    fn noon() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    fn ago(days: i64) -> Timestamp {
        noon() - SignedDuration::from_hours(24 * days)
    }

    fn password(expire_time: Option<Timestamp>) -> Password {
        let secret = PasswordSecret::from_random(&[7; 32]);
        Password {
            slot: PasswordSlot::Password1,
            generation: 1,
            hash: secret.hash(),
            last_four: secret.last_four().into(),
            create_time: ago(100),
            expire_time,
        }
    }

    fn token() -> Token {
        Token {
            uid: TokenUid::new(noon()),
            registry: "local".parse().unwrap(),
            name: "field-vendor".parse().unwrap(),
            scope_map: "servers-pull".parse().unwrap(),
            status: Status::Enabled,
            description: Text::new(),
            owner: Text::new(),
            expire_time: None,
            passwords: vec![password(Some(noon() + SignedDuration::from_hours(1)))],
            federated_credentials: Vec::new(),
            revision: 1,
            create_time: ago(100),
            update_time: ago(100),
            updated_by: "test".into(),
        }
    }

    fn map() -> ScopeMap {
        ScopeMap {
            registry: "local".parse().unwrap(),
            name: "servers-pull".parse().unwrap(),
            description: Text::new(),
            owner: Text::new(),
            permissions: std::collections::BTreeMap::new(),
            max_lifetime: None,
            system: false,
            revision: 1,
            create_time: ago(100),
            update_time: ago(100),
            updated_by: "test".into(),
        }
    }

    fn found(token: &Token, map: Option<&ScopeMap>, last: Option<Timestamp>) -> String {
        let last = LastUses { token: last, ..LastUses::default() };
        findings(token, map, &last, (ago(90), noon()), true).join("; ")
    }

    #[test]
    fn a_token_as_it_should_be_has_no_findings() {
        assert_eq!(found(&token(), Some(&map()), Some(ago(1))), "");
    }

    #[test]
    fn what_was_planted_is_found() {
        let with = |edit: fn(&mut Token)| {
            let mut token = token();
            edit(&mut token);
            found(&token, Some(&map()), Some(ago(1)))
        };
        for (findings, words) in [
            (with(|token| token.status = Status::Disabled), "it is disabled"),
            (with(|token| token.expire_time = Some(ago(2))), "it expired at 2026-11-20"),
            (with(|token| token.passwords = vec![password(None)]), "password1 never expires"),
            (with(|token| token.passwords = vec![password(Some(ago(3)))]), "password1 expired at"),
            (with(|token| token.passwords.clear()), "nothing can act as it"),
            (found(&token(), None, Some(ago(1))), "its scope map `servers-pull` is gone"),
            (found(&token(), Some(&map()), None), "it was never used"),
            (found(&token(), Some(&map()), Some(ago(91))), "it was last used at 2026-08-23"),
        ] {
            assert!(findings.contains(words), "{words} is not in {findings:?}");
        }
    }
}
