//! `dockpass completion` and `dockpass man`: what shells and readers of manuals want, made from the definition of the arguments.

use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, Failure, Process};

/// Write the completion script of a shell to standard output
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    dockpass completion bash > /etc/bash_completion.d/dockpass\n  \
    dockpass completion zsh > ~/.zfunc/_dockpass")]
pub(super) struct Completion {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Write the man pages, one a command, into a folder
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  dockpass man /usr/local/share/man/man1")]
pub(super) struct Man {
    /// The folder; it is made where it is missing
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

impl Completion {
    pub(super) fn run(self, process: &mut Process) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "dockpass", &mut script);
        process.print(&String::from_utf8_lossy(&script))
    }
}

impl Man {
    pub(super) fn run(self, process: &mut Process) -> Result<(), Failure> {
        let folder = self.folder.display();
        let written = std::fs::create_dir_all(&self.folder)
            .and_then(|()| clap_mangen::generate_to(Cli::command(), &self.folder));
        written.map_err(|error| {
            Failure::failed(format!("cannot write the man pages into `{folder}`: {error}"))
        })?;
        process.note(&format!("wrote the man pages into {folder}: man -l {folder}/dockpass.1"))
    }
}
