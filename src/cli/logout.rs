//! `dockpass logout`: removes an entry from the auth file. Revoking is explicit.

use clap::Args;

use super::login::{FileArgs, host};
use super::{Failure, Process};

/// Remove the login of a host from the auth file of docker or podman
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  dockpass logout localhost:5000\n\n\
    The access token itself stays valid until it expires: `dockpass revoke ID` takes it back.")]
pub(super) struct Logout {
    /// The registry's host, as written before a repository
    #[arg(value_name = "HOST", value_parser = host)]
    host: String,
    #[command(flatten)]
    files: FileArgs,
}

impl Logout {
    pub(super) fn run(self, process: &mut Process) -> Result<(), Failure> {
        for mut file in self.files.read(&process.environment)? {
            let path = file.path().display().to_string();
            if file.remove(&self.host)? {
                file.write()?;
                process.print(&format!("removed the login of {} from {path}", self.host))?;
            } else {
                process.note(&format!("{path} holds no login of {}", self.host))?;
            }
        }
        Ok(())
    }
}
