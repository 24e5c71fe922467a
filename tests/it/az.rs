//! The command lines of `az acr scope-map` and `az acr token`, as Microsoft's help shows them, with `dockpass` in place of `az acr`.

use serde_json::{Value, json};

use crate::support::Site;

/// One line of the table: what is run, its exit code, and what standard output or error holds.
struct Row(&'static str, u8, &'static str);

/// The examples of az's help in an order that makes sense, then its traps (azure-container-registry.md, section 3).
const LINES: &[Row] = &[
    // az acr scope-map create
    Row(
        "az acr scope-map create -n MyScopeMap -r MyRegistry --description SampleDescription --repository repo1 content/write content/read --repository repo2 content/read",
        0,
        "content/read, content/write",
    ),
    // az acr scope-map list, show, update
    Row("az acr scope-map list -r MyRegistry", 0, "MyScopeMap"),
    Row("az acr scope-map list -r MyRegistry", 0, "_repositories_pull"),
    Row("az acr scope-map list -r MyRegistry", 0, "SystemDefined"),
    Row("az acr scope-map show -n MyScopeMap -r MyRegistry", 0, "SampleDescription"),
    Row(
        "az acr scope-map update -n MyScopeMap -r MyRegistry --add-repository myrepo content/read content/write",
        0,
        "myrepo",
    ),
    Row(
        "az acr scope-map update -n MyScopeMap -r MyRegistry --remove-repository myrepo content/write",
        0,
        "myrepo      content/read",
    ),
    Row(
        "az acr scope-map update -n MyScopeMap -r MyRegistry --add Repo1 metadata/READ --remove never content/read",
        0,
        "metadata/read",
    ),
    Row("az acr scope-map update -n MyScopeMap -r MyRegistry", 2, "No scope map properties"),
    Row(
        "az acr scope-map update -n MyScopeMap -r MyRegistry --add-repository a content/read --remove-repository a content/read",
        2,
        "both added and removed",
    ),
    Row(
        "az acr scope-map update -n MyScopeMap -r MyRegistry --add-repository a",
        2,
        "At least one action",
    ),
    Row(
        "az acr scope-map update -n MyScopeMap -r MyRegistry --add-repository a contentRead",
        2,
        "content/read, content/write",
    ),
    Row(
        "az acr scope-map update -n _repositories_pull -r MyRegistry --description x",
        1,
        "READ_ONLY",
    ),
    // az acr token create
    Row(
        "az acr token create -n MyToken -r MyRegistry --repository myRepo content/write content/read",
        0,
        "password2",
    ),
    Row("az acr scope-map show -n MyToken-scope-map -r MyRegistry", 0, "Created by token: MyToken"),
    Row("az acr token create -n MyToken2 -r MyRegistry --scope-map MyScopeMap", 0, "password1"),
    Row(
        "az acr token create -n MyToken3 -r MyRegistry --scope-map MyScopeMap --status disabled --no-passwords",
        0,
        "disabled",
    ),
    Row(
        "az acr token create -n MyToken4 -r MyRegistry --scope-map _repositories_pull --expiration-in-days 30",
        0,
        "_repositories_pull",
    ),
    Row(
        "az acr token create -n MyToken2 -r MyRegistry --scope-map MyScopeMap",
        1,
        "ALREADY_EXISTS",
    ),
    Row("az acr token create -n MyToken5 -r MyRegistry", 2, "--scope-map"),
    Row("az acr token create -n my_token -r MyRegistry --scope-map MyScopeMap", 2, "my_token"),
    Row("az acr token create -n MyToken5 -r MyRegistry --scope-map nowhere", 1, "nowhere"),
    // az acr token show, list, update
    Row("az acr token list -r MyRegistry", 0, "PASSWORD1 EXPIRY"),
    Row("az acr token show -n MyToken -r MyRegistry", 0, "MyToken-scope-map"),
    Row(
        "az acr token update -n MyToken -r MyRegistry --scope-map MyNewScopeMap",
        1,
        "MyNewScopeMap",
    ),
    Row(
        "az acr token update -n MyToken -r MyRegistry --scope-map MyScopeMap --status disabled",
        0,
        "disabled",
    ),
    // the trap of az: pointed elsewhere, it stays disabled
    Row(
        "az acr token update -n MyToken -r MyRegistry --scope-map MyToken-scope-map",
        0,
        "disabled",
    ),
    Row("az acr token update -n MyToken -r MyRegistry --status enabled", 0, "enabled"),
    // az acr token credential
    Row(
        "az acr token credential generate -n MyToken -r MyRegistry --password1 --expiration-in-days 30",
        0,
        "dpk_",
    ),
    Row(
        "az acr token credential generate -n MyToken -r MyRegistry --password1 --days 30",
        0,
        "dpk_",
    ),
    Row(
        "az acr token credential generate -n MyToken -r MyRegistry --expiration 2098-12-31T00:00:00Z",
        0,
        "2098-12-31T00:00:00Z",
    ),
    // the trap of az: for ever
    Row(
        "az acr token credential generate -n MyToken -r MyRegistry --password1 --expiration-in-days 0",
        2,
        "0 is not in 1..",
    ),
    Row(
        "az acr token credential delete -n MyToken -r MyRegistry --password1 --password2",
        0,
        "deleted",
    ),
    Row("az acr token credential delete -n MyToken -r MyRegistry", 2, "--password1"),
    // az acr token delete, scope-map delete
    Row("az acr scope-map delete -n MyScopeMap -r MyRegistry", 1, "MyToken2"),
    Row("az acr token delete -n MyToken2 -r MyRegistry", 0, "deleted token MyToken2"),
    Row("az acr token delete -n MyToken2 -r MyRegistry", 1, "NOT_FOUND"),
    Row("az acr token update -n MyToken3 -r MyRegistry --status enabled", 0, "enabled"),
    Row("az acr scope-map delete -n MyScopeMap -r MyRegistry --force", 0, "disabled MyToken3"),
    Row("az acr token update -n MyToken3 -r MyRegistry --status enabled", 1, "MyScopeMap"),
    Row("az acr scope-map show -n MyScopeMap -r MyRegistry", 1, "NOT_FOUND"),
];

#[tokio::test]
async fn the_command_lines_of_az_work_and_its_traps_do_not() {
    let site = Site::new().await;
    let broker = site.start().await;
    let operator = broker.local_operator();
    for Row(line, code, expected) in LINES {
        let ours = line.replace("az acr", "dockpass").replace("MyRegistry", "local");
        let outcome = operator.run(&ours).await;
        let shown = format!("{}{}", outcome.out, outcome.err).to_lowercase();
        assert_eq!(outcome.code, *code, "{ours}: {outcome:?}");
        assert!(shown.contains(&expected.to_lowercase()), "{ours}: {outcome:?}");
        assert_eq!(
            outcome.out.is_empty(),
            *code != 0,
            "{ours}: results alone go to standard output"
        );
        assert!(!outcome.err.contains("dpk_"), "{ours}: a secret is on standard error");
    }
    broker.stop().await;
}

#[tokio::test]
async fn json_has_the_keys_of_az() {
    let site = Site::new().await;
    let broker = site.start().await;
    let operator = broker.local_operator();
    let run =
        async |line: &str| operator.run(&format!("dockpass {line} -r local -o json")).await.json();
    let map =
        run("scope-map create -n pullers --repository a/* content/read --description d").await;
    assert_eq!(map["actions"], json!(["repositories/a/*/content/read"]));
    for key in
        ["creationDate", "description", "id", "name", "provisioningState", "scopeMapType", "type"]
    {
        assert!(!map[key].is_null(), "{key}: {map}");
    }
    let token = run("token create -n robot --scope-map pullers --expiration-in-days 3").await;
    for key in ["creationDate", "id", "name", "provisioningState", "scopeMapId", "status", "type"] {
        assert!(!token[key].is_null(), "{key}: {token}");
    }
    let passwords = token["credentials"]["passwords"].as_array().unwrap();
    assert_eq!(passwords.len(), 2, "{token}");
    for password in passwords {
        assert!(password["value"].as_str().unwrap().starts_with("dpk_"), "{password}");
        assert!(
            password["expiry"].is_string() && password["creationTime"].is_string(),
            "{password}"
        );
    }
    // a secret is shown once
    let token = run("token show -n robot").await;
    assert!(
        token["credentials"]["passwords"]
            .as_array()
            .unwrap()
            .iter()
            .all(|own| own["value"].is_null())
    );
    let listed = run("token list").await;
    let names: Vec<&Value> = listed.as_array().unwrap().iter().map(|own| &own["name"]).collect();
    assert!(names.contains(&&json!("robot")), "{names:?}");
    let generated = run("token credential generate -n robot --password2").await;
    assert_eq!(
        (&generated["username"], &generated["passwords"][0]["name"]),
        (&json!("robot"), &json!("password2"))
    );
    broker.stop().await;
}
