//! Help and wrong usage.

use clap::CommandFactory;

use super::*;

#[test]
fn the_definition_of_the_arguments_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_and_flag_explains_itself() {
    fn walk(command: &clap::Command, path: &str) {
        let path = format!("{path} {}", command.get_name());
        assert!(command.get_about().is_some(), "{path}");
        for argument in command.get_arguments() {
            assert!(argument.get_help().is_some(), "{path} {}", argument.get_id());
        }
        if command.get_subcommands().next().is_none() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Example"), "{path} shows no example");
        }
        command.get_subcommands().for_each(|command| walk(command, &path));
    }
    walk(&Cli::command(), "");
}

#[test]
fn every_example_of_the_help_is_accepted() {
    fn examples(command: &clap::Command, found: &mut Vec<String>) {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        found.extend(help.lines().filter(|line| line.starts_with("  ")).map(str::to_owned));
        command.get_subcommands().for_each(|command| examples(command, found));
    }
    let mut found = Vec::new();
    examples(&Cli::command(), &mut found);
    assert!(found.len() > 10);
    for line in found {
        let (_, arguments) = line.split_once("dockpass ").unwrap();
        let words = std::iter::once("dockpass")
            .chain(arguments.split([' ', '(', ')', '"']).filter(|word| !word.is_empty()));
        let words = words.take_while(|word| !word.starts_with(['>', '|']));
        assert!(Cli::try_parse_from(words).is_ok(), "{line}");
    }
}

#[tokio::test]
async fn help_is_a_result_and_wrong_usage_is_not() {
    let outcome = dockpass("--help", &[], "").await;
    assert_eq!((outcome.code, outcome.err.as_str()), (0, ""));
    assert!(outcome.out.contains("Exit codes"));
    let outcome = dockpass("--version", &[], "").await;
    assert_eq!(
        (outcome.code, outcome.out.as_str()),
        (0, concat!("dockpass ", env!("CARGO_PKG_VERSION"), "\n"))
    );
    for (arguments, expected) in [
        ("", "Usage"),
        ("isue", "issue"),
        ("issue --registry local", "--repository"),
        ("revoke not-an-id", "not-an-id"),
        ("revoke 0199f3c2-7a0e-7c55-9d3b-0c1f5b0d2a11 --username x", "--password-stdin"),
        ("login https://host --registry l --repository a --action pull", "localhost:5000"),
        (
            "login h --client docker --authfile f --registry l --repository a --action pull",
            "--authfile",
        ),
        ("logout", "<HOST>"),
        ("token credential delete --registry local --name vendor-agent", "--password1"),
        ("token create -r local -n vendor-agent", "--scope-map"),
        (
            "token create -r local -n vendor-agent --scope-map m1234 --repository a pull",
            "cannot be used",
        ),
        (
            "token create -r local -n vendor-agent --scope-map m1234 --no-passwords --expiration-in-days 5",
            "--no-passwords",
        ),
        ("token create -r local -n vendor-agent --repository a", "at least one action"),
        ("token create -r local -n under_score --scope-map m1234", "under_score"),
        ("token update -r local -n vendor-agent", "no token properties to update"),
        ("token update -r local -n vendor-agent --status on", "disabled"),
        ("token delete -r local", "--name"),
        (
            "token federation add -r local -n vendor-agent --credential-name x1 --issuer i --claim ref",
            "repository_id=123456",
        ),
        ("scope-map create -r local -n m1234", "--repository"),
        ("scope-map create -r local -n m1234 --repository a contentRead", "content/read"),
        ("scope-map create -r local -n m12 --repository a pull", "m12"),
        ("scope-map update -r local -n m1234", "no scope map properties to update"),
        (
            "scope-map update -r local -n m1234 --add-repository a push --remove-repository a pull",
            "both added and removed",
        ),
        (
            "scope-map update -r local -n m1234 --repository a push --add-repository b pull",
            "cannot be used",
        ),
        ("scope-map update -r local -n m1234 --max-lifetime 5s", "one minute"),
        ("scope-map list -r local --server http://broker.example.com", "in the clear"),
        ("scope-map list -r local --server unix:admin.sock", "names no file"),
        (
            "scope-map list -r local --server unix:/x --identity-token-file f",
            "leave the identity out",
        ),
        ("audit list --config x --server unix:/x", "cannot be used"),
        ("policy export --revision 7", "--config"),
        ("policy replay policy.toml --since soon", "7d"),
        ("review --registry local --days 0", "0"),
        ("completion fishy", "zsh"),
        (
            "token credential generate --registry local --name vendor-agent --password1 --expiration-in-days 0",
            "0",
        ),
        (
            "token credential generate --registry local --name vendor-agent --password1 --expiration soon",
            "soon",
        ),
        ("policy apply", "<FILE>"),
    ] {
        let outcome = dockpass(arguments, &[], "").await;
        assert_eq!((outcome.code, outcome.out.as_str()), (2, ""), "{arguments}");
        assert!(outcome.err.contains(expected), "{arguments}: {}", outcome.err);
    }
}

#[tokio::test]
async fn every_shell_has_a_completion_and_every_command_a_man_page() {
    fn pages(command: &clap::Command, path: &str, found: &mut Vec<String>) {
        found.push(format!("{path}.1"));
        for own in command.get_subcommands().filter(|own| !own.is_hide_set()) {
            pages(own, &format!("{path}-{}", own.get_name()), found);
        }
    }
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = dockpass(&format!("completion {shell}"), &[], "").await;
        assert_eq!((script.code, script.err.as_str()), (0, ""), "{shell}");
        assert!(
            script.out.contains("scope-map") && script.out.contains("add-repository"),
            "{shell}"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let written = dockpass(&format!("man {}/man1", folder.path().display()), &[], "").await;
    assert_eq!((written.code, written.out.as_str()), (0, ""), "{written:?}");
    let mut found = Vec::new();
    pages(&Cli::command(), "dockpass", &mut found);
    assert!(found.len() > 40, "{found:?}");
    for name in found {
        let page = std::fs::read_to_string(folder.path().join("man1").join(&name));
        assert!(page.unwrap().contains(".SH NAME"), "{name}");
    }
}
