//! `dockpass login`: a credential straight into the auth file of docker or podman.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::access::{AccessArgs, Bearer};
use super::access_token::{expire_time, remaining};
use super::auth_file::AuthFile;
use super::wire::to_the_second;
use super::{Environment, Failure, Process};

/// Get a credential and write it into the auth file of docker or podman
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    dockpass login localhost:5000 --registry local --repository servers/nginx --action push\n  \
    dockpass login registry.example.com --client podman --registry main --repository a --action pull\n\n\
    Every other entry and key of the file stays as it is.")]
pub(super) struct Login {
    /// The registry's host, as written before a repository [default: the host that the broker names]
    #[arg(value_name = "HOST", value_parser = host)]
    host: Option<String>,
    #[command(flatten)]
    files: FileArgs,
    #[command(flatten)]
    access: AccessArgs,
}

/// Which auth files are meant.
#[derive(Args, Clone, Debug)]
pub(super) struct FileArgs {
    /// Whose auth file; may be given several times [default: docker]
    #[arg(long, value_enum, conflicts_with = "authfile")]
    client: Vec<Client>,
    /// This auth file
    #[arg(long, value_name = "FILE")]
    authfile: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Client {
    /// `$DOCKER_CONFIG/config.json`, else `~/.docker/config.json`
    Docker,
    /// `$REGISTRY_AUTH_FILE`, else `$XDG_RUNTIME_DIR/containers/auth.json` (skopeo, buildah and CRI-O read it too)
    Podman,
}

impl Login {
    pub(super) async fn run(self, process: &mut Process) -> Result<(), Failure> {
        let mut files = self.files.read(&process.environment)?;
        if let Some(host) = &self.host {
            // before anything is minted: a file that cannot take the entry is found out now
            files.iter().try_for_each(|file| file.takes(host))?;
        }
        let token = self.access.issue(Bearer::Without, process).await?;
        // the broker's word is checked like the user's: it becomes a key of the auth file and a line on the screen
        let host = host(&token.registry_host).map_err(|_| {
            Failure::failed(
                "nothing was written: what the broker says of the registry's host is no host",
            )
        })?;
        if let Some(given) = self.host.as_deref().filter(|given| *given != host) {
            return Err(Failure::failed(format!(
                "nothing was written: the registry `{}` is at `{host}`, and its credential would be sent to `{given}`: log in to `{host}`",
                token.registry
            )));
        }
        for file in &mut files {
            file.takes(&host)?;
            file.put(&host, &token.username, &token.password)?;
            file.write()?;
            process.note(&format!("wrote the login of {host} into {}", file.path().display()))?;
        }
        let end = expire_time(&token).map(|end| {
            format!("expires {} ({}), ", to_the_second(end), remaining(end, process.clock.now()))
        });
        process.print(&format!(
            "logged in to {host} as {}; {}access token {}",
            token.username,
            end.unwrap_or_default(),
            token.id
        ))
    }
}

impl FileArgs {
    /// Reads the files; one that is not there is empty.
    pub(super) fn read(&self, environment: &Environment) -> Result<Vec<AuthFile>, Failure> {
        if let Some(path) = &self.authfile {
            return Ok(vec![AuthFile::read(path)?]);
        }
        let clients = if self.client.is_empty() { &[Client::Docker] } else { &*self.client };
        clients.iter().map(|client| AuthFile::read(&client.path(environment)?)).collect()
    }
}

impl Client {
    fn path(self, environment: &Environment) -> Result<PathBuf, Failure> {
        let folder = |variable| environment.value(variable).map(PathBuf::from);
        let path = match self {
            Self::Docker => folder("DOCKER_CONFIG")
                .or_else(|| Some(folder("HOME")?.join(".docker")))
                .map(|folder| folder.join("config.json")),
            Self::Podman => folder("REGISTRY_AUTH_FILE")
                .or_else(|| Some(folder("XDG_RUNTIME_DIR")?.join("containers/auth.json"))),
        };
        path.ok_or_else(|| {
            Failure::failed("cannot tell where the auth file is: name it with --authfile FILE")
        })
    }
}

/// A host as it stands before a repository: no scheme, no path.
pub(super) fn host(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-.:[]_".contains(c);
    if text.is_empty() || !text.chars().all(plain) {
        return Err("write only the host and its port, such as localhost:5000".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn auth_files_are_where_the_clients_look() {
        for (client, variables, expected) in [
            (Client::Docker, &[("HOME", "/h")][..], Some("/h/.docker/config.json")),
            (Client::Docker, &[("HOME", "/h"), ("DOCKER_CONFIG", "/d")], Some("/d/config.json")),
            (Client::Docker, &[], None),
            (Client::Podman, &[("XDG_RUNTIME_DIR", "/x")], Some("/x/containers/auth.json")),
            (
                Client::Podman,
                &[("XDG_RUNTIME_DIR", "/x"), ("REGISTRY_AUTH_FILE", "/r.json")],
                Some("/r.json"),
            ),
            (Client::Podman, &[("HOME", "/h")], None),
        ] {
            let path = client.path(&environment(variables)).ok();
            assert_eq!(path, expected.map(PathBuf::from), "{client:?} {variables:?}");
        }
    }

    #[test]
    fn a_host_is_only_a_host() {
        assert_eq!(host("localhost:5000").unwrap(), "localhost:5000");
        for bad in ["", "https://localhost", "host/path", "user@host", "a b"] {
            assert!(host(bad).is_err(), "{bad}");
        }
    }
}
