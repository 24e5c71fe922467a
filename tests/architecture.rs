//! The rules of the tree as tests: who may import whom, how long files are, which crates never come in,
//! and that every attack clause of `SECURITY.md` has a test.
#![expect(clippy::expect_used, reason = "a test that cannot read the tree has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use self::source::{Source, is_name};

#[path = "architecture/source.rs"]
mod source;

/// Which modules each module may import. Imports point up this list only; a module without a row fails the test.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("net", &[]),
    ("telemetry", &[]),
    ("pb", &[]),
    ("seal", &["model"]),
    ("listen", &["model", "telemetry"]),
    ("identity", &["model", "net", "seal"]),
    ("cache", &["model", "seal", "telemetry"]),
    ("store", &["model", "seal"]),
    ("policy", &["model", "identity", "seal"]),
    ("registry", &["model", "net", "policy", "cache", "seal", "store"]),
    ("audit", &["model", "seal", "store", "telemetry"]),
    ("broker", &PARTS),
    // identity: what was presented; audit, registry: the errors that are mapped; cache: an access token's times
    (
        "grpc",
        &["model", "broker", "telemetry", "listen", "identity", "audit", "registry", "cache", "pb"],
    ),
    ("http", &["model", "broker", "telemetry", "listen", "identity", "audit", "registry"]),
    ("config", &CONFIGURABLE),
    ("app", &BELOW_APP),
    ("lifecycle", &BELOW_APP),
    (
        "cli",
        &[
            "app",
            "lifecycle",
            "config",
            "model",
            "policy",
            "audit",
            "store",
            "pb",
            "net",
            "identity",
            "telemetry",
        ],
    ),
];

/// What is below the broker.
const PARTS: [&str; 10] = [
    "model",
    "net",
    "telemetry",
    "seal",
    "identity",
    "cache",
    "store",
    "policy",
    "registry",
    "audit",
];

/// The parts that have a `Config` of their own.
const CONFIGURABLE: [&str; 14] = [
    "model",
    "net",
    "telemetry",
    "seal",
    "identity",
    "cache",
    "store",
    "policy",
    "registry",
    "audit",
    "broker",
    "listen",
    "grpc",
    "http",
];

/// What the composition root puts together.
const BELOW_APP: [&str; 17] = [
    "model",
    "net",
    "telemetry",
    "seal",
    "identity",
    "cache",
    "store",
    "policy",
    "registry",
    "audit",
    "broker",
    "listen",
    "grpc",
    "http",
    "config",
    "app",
    "lifecycle",
];

/// One TLS stack and one crypto library; PEM is read by `rustls-pki-types`.
const BANNED_CRATES: [&str; 6] =
    ["openssl", "openssl-sys", "native-tls", "ring", "rustls-pemfile", "aws-lc-fips-sys"];

/// Crates that stop at their edge, and the modules that may use them.
const KEPT_IN: &[(&str, &[&str])] = &[
    ("anyhow", &["app", "lifecycle", "cli"]),
    ("axum", &["http", "grpc", "listen", "cli"]),
    ("prost", &["pb", "grpc"]),
    ("redis", &["cache"]),
    ("rusqlite", &["store"]),
    ("tonic", &["pb", "grpc", "cli", "listen"]),
];

const LONGEST_FILE: usize = 400;
const LONGEST_MAIN: usize = 29;

/// How many clauses each letter of `SECURITY.md` has.
const CLAUSES: [(char, u8); 8] =
    [('A', 13), ('B', 11), ('C', 7), ('D', 9), ('E', 3), ('F', 12), ('G', 9), ('H', 4)];

#[test]
fn imports_point_up_the_table_only() {
    let table: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    let mut wrong = Vec::new();
    for source in Source::all("src") {
        let Some(module) = source.module() else { continue };
        let Some(allowed) = table.get(module.as_str()) else {
            wrong.push(format!("{}: module `{module}` has no row in MAY_IMPORT", source.shown()));
            continue;
        };
        for (line, import) in source.imports() {
            if import != module && !allowed.contains(&import.as_str()) {
                wrong.push(format!("{}:{line}: `{module}` imports `{import}`", source.shown()));
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn the_import_rules_see_what_they_forbid() {
    let source = Source {
        path: "src/policy/decide.rs".into(),
        text: "use crate::{\n    identity::Identity,\n    store,\n};\nuse super::super::audit;\n\
               // crate::net\nfn f() { crate::cache::x() }\n\
               #[cfg(test)]\nmod tests {\n    use crate::broker;\n    fn g() {}\n}\nuse crate::seal::S;\n"
            .to_owned(),
    };
    let found: Vec<(usize, String)> = source.imports();
    let expected = [(1, "identity"), (1, "store"), (5, "audit"), (7, "cache"), (13, "seal")];
    assert_eq!(found, expected.map(|(line, module)| (line, module.to_owned())));
}

#[test]
fn the_table_has_no_cycle() {
    let mut placed: BTreeSet<&str> = BTreeSet::from(["app", "lifecycle"]);
    for (module, allowed) in MAY_IMPORT {
        for import in *allowed {
            assert!(
                placed.contains(import),
                "`{module}` may import `{import}`, which stands below it"
            );
        }
        placed.insert(module);
    }
}

/// An identity is proved; one that is read from the audit trail is not, so it is asked in a replay and nowhere else.
#[test]
fn an_identity_out_of_the_audit_trail_is_only_replayed() {
    const HOMES: [&str; 3] =
        ["src/identity/mod.rs", "src/identity/recorded.rs", "src/policy/replay.rs"];
    let users = Source::all("src")
        .into_iter()
        .filter(|source| source.code().any(|(_, line)| line.contains("ask_as_recorded")));
    let wrong: Vec<String> = users
        .filter(|source| !HOMES.iter().any(|home| source.path.ends_with(home)))
        .map(|source| format!("{}: asks as an identity that nobody proved", source.shown()))
        .collect();
    assert_none(&wrong);
}

#[test]
fn files_are_short() {
    let mut wrong = Vec::new();
    for source in Source::all("src").into_iter().chain(Source::all("tests")) {
        let lines = source.text.lines().count();
        let longest =
            if source.path.ends_with("src/main.rs") { LONGEST_MAIN } else { LONGEST_FILE };
        if lines > longest {
            wrong.push(format!("{}: {lines} lines, at most {longest}", source.shown()));
        }
    }
    assert_none(&wrong);
}

#[test]
fn crates_of_an_edge_stop_there() {
    let mut wrong = Vec::new();
    for source in Source::all("src") {
        let Some(module) = source.module() else { continue };
        for (word, homes) in KEPT_IN {
            let used = source.code().any(|(_, line)| {
                line.trim_start().starts_with(&format!("use {word}"))
                    || line.contains(&format!(" {word}::"))
            });
            if used && !homes.contains(&module.as_str()) {
                wrong.push(format!("{}: `{word}` belongs into {homes:?}", source.shown()));
            }
        }
    }
    assert_none(&wrong);
}

#[test]
fn banned_crates_are_not_in_the_build() {
    // Cargo.lock also holds what no feature of ours switches on, so the resolved graph is asked.
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--prefix", "none", "--format", "{p}"])
        .args(["--edges", "normal,build,dev"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let tree = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    let crates: BTreeSet<&str> = tree.lines().filter_map(|l| l.split(' ').next()).collect();
    assert!(crates.contains("rustls") && crates.contains("aws-lc-rs"), "the graph: {crates:?}");
    for banned in BANNED_CRATES {
        assert!(!crates.contains(banned), "`{banned}` came in; see `cargo tree -i {banned}`");
    }
}

#[test]
fn security_md_lists_every_clause_once() {
    let mut listed: Vec<String> = clauses().into_iter().map(|clause| clause.number).collect();
    listed.sort();
    let mut expected: Vec<String> = CLAUSES
        .iter()
        .flat_map(|(letter, count)| (1..=*count).map(move |number| format!("{letter}{number}")))
        .collect();
    expected.sort();
    assert_eq!(listed, expected);
}

#[test]
fn every_clause_of_security_md_has_a_test() {
    let tests = test_names();
    let wrong: Vec<String> = clauses()
        .into_iter()
        .filter(|clause| !clause.planned)
        .map(|clause| format!("{}_", clause.number.to_lowercase()))
        .filter(|prefix| !tests.iter().any(|name| name.starts_with(prefix)))
        .map(|prefix| format!("SECURITY.md: no test `fn {prefix}…`"))
        .collect();
    assert_none(&wrong);
}

/// One numbered attack clause.
struct Clause {
    number: String,
    planned: bool,
}

/// The clauses: lines such as `- **A1** text` and `- **E1** (planned) text`.
fn clauses() -> Vec<Clause> {
    let text = std::fs::read_to_string(root().join("SECURITY.md")).expect("SECURITY.md");
    text.lines()
        .filter_map(|line| line.strip_prefix("- **")?.split_once("**"))
        .map(|(number, text)| Clause {
            number: number.to_owned(),
            planned: text.starts_with(" (planned)"),
        })
        .collect()
}

/// The names of all test functions, of the crate and of `tests/`.
fn test_names() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for source in Source::all("src").into_iter().chain(Source::all("tests")) {
        let mut marked = false;
        for line in source.text.lines().map(str::trim_start) {
            if line.starts_with("#[") {
                marked |= ["#[test]", "#[tokio::test"].iter().any(|mark| line.starts_with(mark));
            } else if let Some(name) = line.trim_start_matches("async ").strip_prefix("fn ") {
                let name: String = name.chars().take_while(|c| is_name(*c)).collect();
                if std::mem::take(&mut marked) {
                    names.insert(name);
                }
            }
        }
    }
    names
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[track_caller]
fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
