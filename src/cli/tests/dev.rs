//! `dockpass dev`, with no registry on the PATH.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn the_demonstration_runs_again_in_the_folder_of_the_first_and_keeps_its_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let command = format!("dev --once --data-dir {}", folder.path().display());
    let mut kept = Vec::new();
    for _ in 0..2 {
        let outcome = dockpass(&command, &[], "").await;
        assert_eq!(outcome.code, 0, "{}{}", outcome.out, outcome.err);
        for text in ["allowed: token nginx-ci", "ACCESS_DENIED", "token nginx-ci: does not allow"] {
            assert!(outcome.out.contains(text), "{text} is not in:\n{}", outcome.out);
        }
        let secrets = ["vendor-password", "root.key", "seal.keys", "audit.key"]
            .map(|name| std::fs::read_to_string(folder.path().join(name)).unwrap());
        assert!(!secrets.iter().any(|secret| outcome.out.contains(secret.trim())));
        kept.push(secrets);
    }
    assert_eq!(kept[0], kept[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let outcome = dockpass(&format!("dev --once --data-dir {}", file.display()), &[], "").await;
    assert_eq!((outcome.code, outcome.out.as_str()), (1, ""));
    assert!(outcome.err.contains(&file.display().to_string()), "{}", outcome.err);
}
