//! An identity token in a file.

use std::io::Read;
use std::path::Path;

use crate::model::Secret;

/// More than any issuer's token has; the broker takes 16 KiB.
const LONGEST: u64 = 64 * 1024;

/// Tokens that platforms put into every workload for another service, by the folder they are in.
const OF_OTHERS: [(&str, &str); 3] = [
    ("kubernetes.io/serviceaccount", "the Kubernetes API"),
    ("azure/tokens", "Microsoft Entra"),
    ("eks.amazonaws.com/serviceaccount", "AWS"),
];

/// Reads a token, anew each time: platforms renew it in place.
pub(super) fn read(path: &Path) -> Result<Secret, String> {
    let shown = path.display();
    if let Some(owner) = owner(path) {
        return Err(format!(
            "`{shown}` is the token for {owner} and goes nowhere else: project one with the broker's audience"
        ));
    }
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text))
        .map_err(|error| format!("cannot read `{shown}`: {error}"))?;
    if text.len() as u64 > LONGEST {
        return Err(format!("`{shown}` is too large for an identity token"));
    }
    Ok(Secret::new(text.trim()))
}

/// Whose token it is, by the path as given and as it resolves.
fn owner(path: &Path) -> Option<&'static str> {
    let resolved = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let within = |folder: &str| {
        let folder = format!("/var/run/secrets/{folder}");
        let short = folder.trim_start_matches("/var");
        [&resolved, &absolute]
            .iter()
            .any(|path| path.starts_with(&folder) || path.starts_with(short))
    };
    OF_OTHERS.iter().find(|(folder, _)| within(folder)).map(|(_, owner)| *owner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_anew_each_time_without_the_line_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        for token in ["first", "second"] {
            std::fs::write(&path, format!("{token}\n")).unwrap();
            assert_eq!(read(&path).unwrap().expose(), token);
        }
    }

    #[test]
    fn d7_the_platforms_own_tokens_are_never_taken() {
        for path in [
            "/var/run/secrets/kubernetes.io/serviceaccount/token",
            "/run/secrets/kubernetes.io/serviceaccount/token",
            "/var/run/secrets/azure/tokens/azure-identity-token",
            "/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
        ] {
            assert!(read(Path::new(path)).unwrap_err().contains("goes nowhere else"), "{path}");
        }
    }

    #[test]
    fn a_missing_and_a_huge_file_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        assert!(read(&path).unwrap_err().contains("token`"));
        std::fs::write(&path, vec![b'a'; 70_000]).unwrap();
        assert!(read(&path).unwrap_err().contains("too large"));
    }
}
