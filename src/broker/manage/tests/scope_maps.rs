//! Scope maps: lists, previews, and what becomes of their tokens.

use std::collections::BTreeSet;

use crate::audit::Kind;
use crate::broker::evidence::DEFAULT_WINDOW;
use crate::broker::manage::for_test::{
    Office, local_user, new_map, new_token, operator, permissions, the_token,
};
use crate::broker::manage::{
    DeleteScopeMap, Etag, ListScopeMaps, ListTokens, Optional, PageRequest, PermissionsUpdate,
    PreviewScopeMapUpdate, Tied, UpdateScopeMap, UpdateToken,
};
use crate::model::{Reason, Status, TokenName};

fn adjust(name: &str, add: &[(&str, &str)], remove: &[(&str, &str)]) -> UpdateScopeMap {
    UpdateScopeMap {
        registry: "local".parse().unwrap(),
        name: name.parse().unwrap(),
        etag: None,
        description: None,
        owner: None,
        permissions: PermissionsUpdate::Adjust {
            add: permissions(add),
            remove: permissions(remove),
        },
        max_lifetime: Optional::Keep,
    }
}

fn force_delete(name: &str) -> DeleteScopeMap {
    let registry = "local".parse().unwrap();
    DeleteScopeMap { registry, name: name.parse().unwrap(), etag: None, tied: Tied::Disable }
}

#[tokio::test]
async fn pages_hold_every_scope_map_once_those_of_the_system_between() {
    let office = Office::open().await;
    for name in ["Alpha", "ZULU-map", "_repositories", "_zzzz", "alpha", "beta-", "zulu1"] {
        office.by_editor(new_map(name, &[("a", "pull")])).await;
    }
    for size in [1, 2, 3, 5, 100] {
        let (mut names, mut after) = (Vec::new(), Some(String::new()));
        while let Some(last) = after {
            let page = PageRequest { size, after: last };
            let list = ListScopeMaps { registry: "local".parse().unwrap(), page };
            let page = office.read(operator("viewer"), list).await.unwrap();
            assert!(page.items.len() <= size as usize && !page.items.is_empty());
            names.extend(page.items.iter().map(|map| map.name.to_string()));
            after = page.next;
        }
        assert!(names.is_sorted() && names.len() == 12, "{size}: {names:?}");
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 12);
    }
}

#[tokio::test]
async fn actions_are_added_and_removed_entry_by_entry() {
    let office = Office::open().await;
    office.by_editor(new_map("servers", &[("servers/*", "pull"), ("tools", "push")])).await;
    let more = adjust(
        "servers",
        &[("servers/*", "metadata/read"), ("docs", "pull")],
        &[("tools", "content/write"), ("missing", "pull")],
    );
    let after = office.by_editor(more.clone()).await;
    let wanted = [("servers/*", "pull,metadata/read"), ("tools", "pull"), ("docs", "pull")];
    assert_eq!(after.permissions, permissions(&wanted));
    // the same again changes nothing, and takes no revision
    let again = office.by_editor(adjust("servers", &[("docs", "pull")], &[("gone", "push")])).await;
    assert_eq!((again.revision, again.etag()), (after.revision, after.etag()));
    let gone = office.by_editor(adjust("servers", &[], &[("tools", "push")])).await;
    assert!(!gone.permissions.contains_key(&"tools".parse().unwrap()));
}

#[tokio::test]
async fn a_preview_tells_what_an_update_would_do_and_does_nothing() {
    let office = Office::open().await;
    let before = office.by_editor(new_map("servers", &[("servers/*", "push")])).await;
    office.by_editor(new_token("nginx-ci", "servers")).await;
    let update = adjust("servers", &[("docs", "pull")], &[("servers/*", "content/write")]);
    let preview = PreviewScopeMapUpdate { update, usage_window: DEFAULT_WINDOW };
    let preview = office.read(operator("viewer"), preview).await.unwrap();
    assert_eq!(preview.added, permissions(&[("docs", "pull")]));
    assert_eq!(preview.removed, permissions(&[("servers/*", "content/write")]));
    assert_eq!(preview.after.permissions, permissions(&[("docs", "pull"), ("servers/*", "pull")]));
    assert_eq!(preview.tokens.iter().map(TokenName::as_str).collect::<Vec<_>>(), ["nginx-ci"]);
    assert_eq!(office.scope_map("servers").await, before);
}

#[tokio::test]
async fn a_forced_deletion_disables_the_tokens_and_making_the_scope_map_again_enables_none() {
    let office = Office::open().await;
    office.by_editor(new_map("servers", &[("servers/*", "pull")])).await;
    for name in ["first-token", "second-token", "third-token"] {
        office.by_editor(new_token(name, "servers")).await;
    }
    let status =
        |name, status| UpdateToken { status: Some(status), ..UpdateToken::none(the_token(name)) };
    office.by_editor(status("third-token", Status::Disabled)).await;
    let events = office.events(Kind::PolicyChange).await.len();
    let disabled = office.by_editor(force_delete("servers")).await;
    let disabled: Vec<_> = disabled.iter().map(TokenName::as_str).collect();
    assert_eq!(disabled, ["first-token", "second-token"]);
    // one event for each definition; those of the tokens name the first as their cause
    let recorded = office.events(Kind::PolicyChange).await.split_off(events);
    let [map, first, second] = recorded.try_into().unwrap();
    assert_eq!(map.change.unwrap()["after"], serde_json::Value::Null);
    for (event, name) in [(first, "first-token"), (second, "second-token")] {
        let change = event.change.unwrap();
        assert_eq!((&change["name"], &change["cause"]), (&name.into(), &map.id.to_string().into()));
        assert_eq!(change["after"]["status"], "disabled");
    }
    // it keeps the name of what is gone, and cannot be enabled
    let token = office.token("first-token").await;
    assert_eq!((token.scope_map.as_str(), token.status), ("servers", Status::Disabled));
    let enable = || status("first-token", Status::Enabled);
    let refused = office.change(local_user(), enable()).await.unwrap_err();
    assert_eq!(refused.error.reason(), Reason::InvalidRequest);
    office.by_editor(new_map("servers", &[("*", "push")])).await;
    assert_eq!(office.token("first-token").await, token);
    assert_eq!(office.by_editor(enable()).await.status, Status::Enabled);
}

#[tokio::test]
async fn a_scope_map_that_is_deleted_and_made_again_has_another_etag() {
    let office = Office::open().await;
    let map = || new_map("servers", &[("servers/*", "pull")]);
    let first = office.by_editor(map()).await.etag();
    office.by_editor(force_delete("servers")).await;
    let second = office.by_editor(map()).await.etag();
    assert_ne!(first, second);
    let update = UpdateScopeMap { etag: Some(first), ..adjust("servers", &[("a", "pull")], &[]) };
    let refused = office.change(local_user(), update).await.unwrap_err();
    assert_eq!(refused.error.reason(), Reason::EtagMismatch);
}

#[tokio::test]
async fn tokens_are_listed_by_their_scope_map_too() {
    let office = Office::open().await;
    office.by_editor(new_map("servers", &[("servers/*", "pull")])).await;
    for (name, map) in [
        ("first-token", "servers"),
        ("second-token", "_repositories_pull"),
        ("third-token", "servers"),
    ] {
        office.by_editor(new_token(name, map)).await;
    }
    let list = |scope_map: Option<&str>, size, after: &str| ListTokens {
        registry: "local".parse().unwrap(),
        scope_map: scope_map.map(|name| name.parse().unwrap()),
        page: PageRequest { size, after: after.to_owned() },
    };
    let names = async |list: ListTokens| {
        let page = office.read(operator("viewer"), list).await.unwrap();
        let names: Vec<_> = page.items.iter().map(|token| token.name.to_string()).collect();
        (names.join(" "), page.next)
    };
    assert_eq!(
        names(list(None, 2, "")).await,
        ("first-token second-token".to_owned(), Some("second-token".to_owned()))
    );
    assert_eq!(names(list(None, 2, "second-token")).await, ("third-token".to_owned(), None));
    let tied = list(Some("servers"), 1, "");
    assert_eq!(names(tied).await, ("first-token".to_owned(), Some("first-token".to_owned())));
    assert_eq!(
        names(list(Some("servers"), 1, "first-token")).await,
        ("third-token".to_owned(), None)
    );
    assert_eq!(names(list(Some("unused"), 1, "")).await, (String::new(), None));
}

trait Tagged {
    fn etag(&self) -> Etag;
}

impl Tagged for crate::model::ScopeMap {
    fn etag(&self) -> Etag {
        Etag::of_scope_map(self)
    }
}
