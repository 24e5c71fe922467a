//! Who may do what.

use proptest::prelude::*;

use crate::audit::Kind;
use crate::broker::manage::for_test::{
    Office, known, new_map, new_token, operator, permissions, the_token,
};
use crate::broker::manage::{
    ApplyPolicy, Candidate, DeleteScopeMap, DeleteToken, Edit, Expiry, GeneratePassword,
    GetScopeMap, ListRegistries, Optional, PageRequest, PermissionsUpdate, Rest, Tied,
    UpdateScopeMap, UpdateToken,
};
use crate::identity::{PasswordEntry, for_test as identities};
use crate::model::{PasswordSlot, Reason, ScopeMap, Status, TokenUid};

fn get(name: &str) -> GetScopeMap {
    GetScopeMap { registry: "local".parse().unwrap(), name: name.parse().unwrap() }
}

fn widen(name: &str) -> UpdateScopeMap {
    UpdateScopeMap {
        registry: "local".parse().unwrap(),
        name: name.parse().unwrap(),
        etag: None,
        description: None,
        owner: None,
        permissions: PermissionsUpdate::Adjust {
            add: permissions(&[("*", "push")]),
            remove: permissions(&[]),
        },
        max_lifetime: Optional::Keep,
    }
}

#[tokio::test]
async fn g6_a_password_is_never_an_operator() {
    let office = Office::open().await;
    let entry = PasswordEntry {
        registry: "local".parse().unwrap(),
        token: TokenUid::new(office.now()),
        token_name: "editor".parse().unwrap(),
        slot: PasswordSlot::Password1,
        generation: 1,
        expire_time: None,
    };
    let holder = known(identities::password(entry));
    let refusal = office.read(holder.clone(), get("_repositories_pull")).await.unwrap_err();
    assert_eq!(refusal.error.reason(), Reason::RoleRequired);
    let refusal = office.change(holder, new_map("mine-now", &[("*", "push")])).await.unwrap_err();
    assert_eq!(refusal.error.reason(), Reason::RoleRequired);
    let nobody = known(identities::anonymous());
    let refusal = office.change(nobody, new_map("mine-now", &[("*", "push")])).await.unwrap_err();
    assert_eq!(refusal.error.reason(), Reason::RoleRequired);
}

#[tokio::test]
async fn g6_what_is_asked_is_recorded_of_those_who_have_the_role_only() {
    let office = Office::open().await;
    let secretive = new_map("large-one", &[("servers/*", "pull")]);
    let refusal = office.change(operator("viewer"), secretive).await.unwrap_err();
    let event = office.broker.journal.find(refusal.decision_id).await.unwrap().unwrap();
    let change = event.change.unwrap();
    assert_eq!((&change["name"], &change["registry"]), (&"large-one".into(), &"local".into()));
    assert!(change.get("asked").is_none(), "whoever has no role fills no disk: {change}");
}

#[tokio::test]
async fn an_allowed_read_leaves_no_event_and_a_refused_one_does() {
    let office = Office::open().await;
    office.read(operator("viewer"), get("_repositories_pull")).await.unwrap();
    assert!(office.events(Kind::ManagementRead).await.is_empty());
    let refusal = office.read(operator("job"), get("_repositories_pull")).await.unwrap_err();
    let [event] = office.events(Kind::ManagementRead).await.try_into().unwrap();
    assert_eq!((event.id, event.reason), (refusal.decision_id, Some(Reason::RoleRequired)));
    assert_eq!(event.change.unwrap()["method"], "GetScopeMap");
}

#[tokio::test]
async fn g9_a_local_user_manages_and_is_named_in_the_event() {
    let office = Office::open().await;
    let made = office.by_editor(new_map("servers", &[("servers/*", "pull")])).await;
    assert_eq!(made.updated_by, "local user olga (uid 1000)");
    let [event] = office.events(Kind::PolicyChange).await.try_into().unwrap();
    let identity = event.identity.unwrap().members();
    assert_eq!(identity["kind"], "localUser");
    assert_eq!((&identity["uid"], &identity["pid"]), (&1000.into(), &7.into()));
    assert_eq!(event.peer.as_deref(), Some("local"));
    assert_eq!(event.change.unwrap()["actor"], *made.updated_by);
}

#[tokio::test]
async fn registries_are_listed_to_those_who_have_a_role_there() {
    let office = Office::open().await;
    let page = || PageRequest { size: 1, after: String::new() };
    let list = |page| ListRegistries { page };
    let first = office.read(operator("viewer"), list(page())).await.unwrap();
    assert_eq!((first.items[0].name.as_str(), first.next.as_deref()), ("local", Some("local")));
    let second = PageRequest { after: first.next.unwrap(), ..page() };
    let second = office.read(operator("viewer"), list(second)).await.unwrap();
    assert_eq!((second.items[0].name.as_str(), second.next), ("other", None));
    let own = office.read(operator("other-editor"), list(page())).await.unwrap();
    assert_eq!((own.items[0].name.as_str(), own.next), ("other", None));
    let refusal = office.read(operator("job"), list(page())).await.unwrap_err();
    assert_eq!(refusal.error.reason(), Reason::RoleRequired);
}

/// What a token editor tries.
#[derive(Clone, Debug)]
enum Try {
    CreateMap,
    WidenMap,
    DeleteMap,
    ApplyWider,
    CreateToken(&'static str),
    Repoint(&'static str),
    Status(Status),
    Password,
    DeleteToken,
}

fn tries() -> impl Strategy<Value = Try> {
    let map = || prop::sample::select(vec!["servers", "wider", "_repositories_admin"]);
    prop_oneof![
        Just(Try::CreateMap),
        Just(Try::WidenMap),
        Just(Try::DeleteMap),
        Just(Try::ApplyWider),
        map().prop_map(Try::CreateToken),
        map().prop_map(Try::Repoint),
        prop::sample::select(vec![Status::Enabled, Status::Disabled]).prop_map(Try::Status),
        Just(Try::Password),
        Just(Try::DeleteToken),
    ]
}

async fn attempt(office: &Office, what: Try) -> Result<(), Reason> {
    async fn run<E: Edit>(office: &Office, edit: E) -> Result<(), Reason> {
        let done = office.change(operator("token-editor"), edit).await;
        done.map(drop).map_err(|refusal| refusal.error.reason())
    }
    let token = || the_token("nginx-ci");
    let none = || UpdateToken::none(token());
    match what {
        Try::CreateMap => run(office, new_map("wider", &[("*", "push")])).await,
        Try::WidenMap => run(office, widen("servers")).await,
        Try::DeleteMap => {
            let (registry, name) = ("local".parse().unwrap(), "servers".parse().unwrap());
            run(office, DeleteScopeMap { registry, name, etag: None, tied: Tied::Disable }).await
        }
        Try::ApplyWider => {
            let text =
                "[[scope_maps]]\nregistry = 'local'\nname = 'servers'\npermissions.'*' = ['push']";
            let candidate = Candidate { text: text.into(), rest: Rest::Keep, base_revision: None };
            run(office, ApplyPolicy { candidate }).await
        }
        Try::CreateToken(map) => run(office, new_token("nginx-ci", map)).await,
        Try::Repoint(map) => {
            run(office, UpdateToken { scope_map: Some(map.parse().unwrap()), ..none() }).await
        }
        Try::Status(status) => run(office, UpdateToken { status: Some(status), ..none() }).await,
        Try::Password => {
            let (slot, expiry) = (PasswordSlot::Password2, Expiry::Never);
            run(office, GeneratePassword { token: token(), slot, expiry }).await
        }
        Try::DeleteToken => run(office, DeleteToken { token: token() }).await,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Whatever a token editor does, and in whatever order: every scope map stays as it is.
    #[test]
    fn g6_no_sequence_of_calls_by_a_token_editor_changes_a_scope_map(
        sequence in prop::collection::vec(tries(), 1..16),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let office = Office::open().await;
            office.by_editor(new_map("servers", &[("servers/*", "pull")])).await;
            let before = maps(&office).await;
            for what in sequence {
                let boundary = matches!(what, Try::CreateMap | Try::WidenMap | Try::DeleteMap | Try::ApplyWider);
                let outcome = attempt(&office, what.clone()).await;
                assert!(!boundary || outcome == Err(Reason::RoleRequired), "{what:?}: {outcome:?}");
                assert_eq!(maps(&office).await, before, "{what:?}");
            }
        });
    }
}

/// All scope maps, in the store and in force.
async fn maps(office: &Office) -> (Vec<ScopeMap>, Vec<ScopeMap>) {
    let stored = office.store().await.definitions().await.unwrap().scope_maps;
    let in_force = office.broker.policies.in_force().snapshot.definitions().scope_maps;
    (stored, in_force)
}
