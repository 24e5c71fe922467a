//! The auth file of docker and podman: one entry is written, everything else stays byte for byte.

use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;

use super::Failure;
use super::access_token::basic;
use super::ordered_object::OrderedObject;

/// An auth file that was read.
#[derive(Debug)]
pub(super) struct AuthFile {
    path: PathBuf,
    document: OrderedObject,
}

impl AuthFile {
    /// Reads a file; one that is not there is empty. A link is followed, so that it is not replaced by a file.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) if text.trim().is_empty() => "{}".to_owned(),
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => "{}".to_owned(),
            Err(error) => return Err(problem(path, &error)),
        };
        let document = serde_json::from_str(&text).map_err(|error| problem(path, &error))?;
        let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let file = Self { path, document };
        file.auths()?;
        Ok(file)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether a client that reads this file would use an entry for `host`.
    ///
    /// # Errors
    /// A credential helper or store is configured there: docker asks that instead, and never looks at the entry.
    pub(super) fn takes(&self, host: &str) -> Result<(), Failure> {
        let helpers: Option<std::collections::BTreeMap<String, String>> =
            self.member("credHelpers")?;
        let helper = match helpers.and_then(|mut helpers| helpers.remove(host)) {
            Some(helper) => Some(helper),
            None => self.member("credsStore")?,
        };
        let Some(helper) = helper.filter(|helper| !helper.is_empty()) else { return Ok(()) };
        Err(Failure::failed(format!(
            "`{}` sends clients to the credential helper `{helper}` for {host}, so an entry in it would not be read: pipe `dockpass issue` into `docker login --password-stdin`, or write another file with --authfile",
            self.path.display()
        )))
    }

    /// Puts the login of a host, in place of the one that was there.
    pub(super) fn put(
        &mut self,
        host: &str,
        username: &str,
        password: &str,
    ) -> Result<(), Failure> {
        let mut auths = self.auths()?;
        let entry = json!({ "auth": basic(username, password) });
        auths.set(host, &entry).map_err(|error| problem(&self.path, &error))?;
        self.document.set("auths", &auths).map_err(|error| problem(&self.path, &error))
    }

    /// Removes the login of a host; false when there is none.
    pub(super) fn remove(&mut self, host: &str) -> Result<bool, Failure> {
        let mut auths = self.auths()?;
        let removed = auths.remove(host);
        if removed {
            self.document.set("auths", &auths).map_err(|error| problem(&self.path, &error))?;
        }
        Ok(removed)
    }

    /// Writes the file: whole or not at all, readable by its owner only.
    pub(super) fn write(&self) -> Result<(), Failure> {
        self.replace().map_err(|error| problem(&self.path, &error))
    }

    fn replace(&self) -> std::io::Result<()> {
        let folder = self.path.parent().unwrap_or_else(|| Path::new("."));
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".dockpass-{}", std::process::id()));
        let temporary = folder.join(name);
        let mut file = match create(&temporary) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                // left behind by a process of this id that was killed
                std::fs::remove_file(&temporary)?;
                create(&temporary)?
            }
            other => other?,
        };
        let written = file
            .write_all(self.document.pretty()?.as_bytes())
            .and_then(|()| file.sync_all())
            .and_then(|()| std::fs::rename(&temporary, &self.path));
        if written.is_err() {
            // there are secrets in it
            std::fs::remove_file(&temporary)?;
        }
        written
    }

    fn auths(&self) -> Result<OrderedObject, Failure> {
        Ok(self.member("auths")?.unwrap_or_default())
    }

    fn member<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Result<Option<T>, Failure> {
        let value = self.document.member(name);
        value.map_or(Ok(None), |raw| serde_json::from_str(raw.get())).map_err(|error| {
            problem(&self.path, &format!("`{name}` is not what docker writes there: {error}"))
        })
    }
}

fn create(path: &Path) -> std::io::Result<std::fs::File> {
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn problem(path: &Path, problem: &dyn std::fmt::Display) -> Failure {
    Failure::failed(format!("cannot use the auth file `{}`: {problem}", path.display()))
}

#[cfg(test)]
mod tests;
