//! Tests of the auth file.

use std::os::unix::fs::PermissionsExt;

use super::*;

const OTHERS: &str = "{\n\t\"auths\": {\n\t\t\"b.example\": {\"auth\":\"eDp5\",\"email\":\"x\"}\n\t},\n\t\"HttpHeaders\": {\"A\": \"b\"},\n\t\"detachKeys\": \"ctrl-e\"\n}\n";

fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

#[test]
fn a_login_and_its_logout_leave_every_other_key_and_entry_as_it_was() {
    let (_folder, path) = file(OTHERS);
    let mut auth_file = AuthFile::read(&path).unwrap();
    auth_file.put("localhost:5000", "nginx-ci", "dps_x").unwrap();
    auth_file.write().unwrap();
    let written = std::fs::read_to_string(&path).unwrap();
    for kept in
        ["\"b.example\":{\"auth\":\"eDp5\",\"email\":\"x\"}", "\"HttpHeaders\": {\"A\": \"b\"}"]
    {
        assert!(written.contains(kept), "{kept} is not in {written}");
    }
    let parsed: serde_json::Value = serde_json::from_str(&written).unwrap();
    assert_eq!(parsed["auths"]["localhost:5000"]["auth"], basic("nginx-ci", "dps_x"));

    let mut auth_file = AuthFile::read(&path).unwrap();
    assert!(auth_file.remove("localhost:5000").unwrap());
    auth_file.write().unwrap();
    let parsed: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(parsed, serde_json::from_str::<serde_json::Value>(OTHERS).unwrap());
    assert!(!AuthFile::read(&path).unwrap().remove("localhost:5000").unwrap());
}

#[test]
fn an_identity_token_of_the_same_host_goes_because_docker_would_prefer_it() {
    let (_folder, path) = file("{\"auths\":{\"h\":{\"auth\":\"eDp5\",\"identitytoken\":\"old\"}}}");
    let mut auth_file = AuthFile::read(&path).unwrap();
    auth_file.put("h", "u", "p").unwrap();
    auth_file.write().unwrap();
    assert!(!std::fs::read_to_string(&path).unwrap().contains("identitytoken"));
}

#[test]
fn a_new_file_and_its_folder_are_for_the_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/auth.json");
    let mut auth_file = AuthFile::read(&path).unwrap();
    auth_file.put("h", "u", "p").unwrap();
    auth_file.write().unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
}

#[test]
fn a_file_that_was_open_to_others_is_closed_when_a_secret_goes_into_it() {
    let (_folder, path) = file(OTHERS);
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    let mut auth_file = AuthFile::read(&path).unwrap();
    auth_file.put("h", "u", "p").unwrap();
    auth_file.write().unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_file_that_does_not_parse_is_refused_and_not_touched() {
    for text in ["{", "[]", "{\"auths\":[]}", "{\"auths\":{},\"auths\":{}}", "not json"] {
        let (_folder, path) = file(text);
        let error = AuthFile::read(&path).unwrap_err().to_string();
        assert!(error.contains("config.json"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }
}

#[test]
fn a_link_stays_a_link_and_nothing_is_left_beside_the_file() {
    let (folder, path) = file("");
    let link = folder.path().join("link.json");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let mut auth_file = AuthFile::read(&link).unwrap();
    auth_file.put("h", "u", "p").unwrap();
    auth_file.write().unwrap();
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(std::fs::read_to_string(&path).unwrap().contains("auths"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}

#[test]
fn an_entry_that_docker_would_not_read_is_refused() {
    for text in ["{\"credsStore\":\"desktop\"}", "{\"credHelpers\":{\"h\":\"desktop\"}}"] {
        let (_folder, path) = file(text);
        let error = AuthFile::read(&path).unwrap().takes("h").unwrap_err().to_string();
        assert!(error.contains("`desktop`"), "{error}");
    }
    let (_folder, path) = file("{\"credHelpers\":{\"other\":\"desktop\"}}");
    assert!(AuthFile::read(&path).unwrap().takes("h").is_ok());
}
