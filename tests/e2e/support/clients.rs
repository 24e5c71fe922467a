//! The clients that people use, each with a home folder of its own.

use std::path::Path;
use std::process::Stdio;

use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// What a program that ran to its end did.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Its exit code; `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Outcome {
    /// Runs a command to its end, with `input` on standard input.
    pub(crate) async fn of(mut command: Command, input: &str) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
        let mut stdin = child.stdin.take().unwrap();
        // a program that does not read its input may be gone already
        drop(stdin.write_all(input.as_bytes()).await);
        drop(stdin);
        let output = child.wait_with_output().await.unwrap();
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The standard output of a success.
    #[track_caller]
    pub(crate) fn succeeded(self) -> String {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self.out
    }

    /// The standard error of a refusal, which has to say `word`.
    #[track_caller]
    pub(crate) fn refused(self, word: &str) -> String {
        assert!(self.code.is_some_and(|code| code != 0), "it went through: {self:#?}");
        assert!(self.err.contains(word), "it does not say {word:?}: {self:#?}");
        self.err
    }
}

/// skopeo and docker, with no credential but those that a test gives them.
pub(crate) struct Clients {
    home: TempDir,
}

impl Clients {
    /// Clients with an empty home.
    pub(crate) fn new() -> Self {
        Self { home: TempDir::new().unwrap() }
    }

    /// Where they keep their files.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Runs skopeo.
    pub(crate) async fn skopeo(&self, arguments: &[&str]) -> Outcome {
        let mut command = self.command("skopeo");
        command.arg("--insecure-policy").args(arguments);
        Outcome::of(command, "").await
    }

    /// Copies an image to a registry; `credential` is how: `--dest-creds=…` or `--dest-registry-token=…`.
    pub(crate) async fn push(&self, image: &str, credential: &str, to: &str) -> Outcome {
        let to = format!("docker://{to}");
        self.skopeo(&["copy", "--dest-tls-verify=false", credential, image, &to]).await
    }

    /// Copies an image from a registry into a new folder; `credential` is `--src-creds=…` or `--src-registry-token=…`.
    pub(crate) async fn pull(&self, credential: &str, from: &str) -> Outcome {
        let (from, folder) = (format!("docker://{from}"), TempDir::new_in(self.home()).unwrap());
        let to = format!("dir:{}", folder.path().display());
        self.skopeo(&["copy", "--src-tls-verify=false", credential, &from, &to]).await
    }

    /// Runs the docker command line, which needs no daemon for what the tests do.
    pub(crate) async fn docker(&self, arguments: &[&str], input: &str) -> Outcome {
        let mut command = self.command("docker");
        command.args(arguments);
        Outcome::of(command, input).await
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("HOME", self.home())
            .env("XDG_RUNTIME_DIR", self.home())
            .env("DOCKER_CONFIG", self.home().join("docker"))
            .env("REGISTRY_AUTH_FILE", self.home().join("auth.json"));
        command
    }
}
