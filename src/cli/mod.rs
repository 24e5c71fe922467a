//! The command line: one file a command group.
//!
//! Results go to standard output, everything else to standard error. The exit code is 0 on success, 1 on failure,
//! 2 on wrong usage, 3 on a refusal by policy.

mod access;
mod access_token;
mod api;
mod audit;
mod auth_file;
mod completion;
mod config;
mod confirm;
mod dev;
mod etag;
mod explain;
mod failure;
mod identity_source;
mod issue;
mod json_struct;
mod login;
mod logout;
mod offline;
mod ordered_object;
mod output;
mod policy;
mod policy_change;
mod process;
mod refusal;
mod registry;
mod repository_args;
mod review;
mod revoke;
mod scope_map;
mod serve;
mod server;
mod server_url;
mod token;
mod wire;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use self::failure::Failure;
pub use self::process::{Attended, Environment, Process};

/// An access broker for container registries: an identity in, a scoped short-lived credential out.
#[derive(Debug, Parser)]
#[command(name = "dockpass", version, arg_required_else_help = true, max_term_width = 110)]
#[command(after_help = "Exit codes: 0 success, 1 failure, 2 wrong usage, 3 a refusal by policy.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    Completion(completion::Completion),
    #[command(subcommand)]
    Config(config::ConfigCommand),
    Dev(dev::Dev),
    Explain(explain::Explain),
    Issue(issue::Issue),
    Login(login::Login),
    Logout(logout::Logout),
    Man(completion::Man),
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    #[command(subcommand)]
    Registry(registry::RegistryCommand),
    Review(review::Review),
    Revoke(revoke::Revoke),
    #[command(subcommand)]
    ScopeMap(scope_map::ScopeMapCommand),
    Serve(serve::Serve),
    #[command(subcommand)]
    Token(token::TokenCommand),
}

/// Runs the program with its arguments (the program's name first).
pub async fn run(arguments: impl IntoIterator<Item = OsString>, process: &mut Process) -> ExitCode {
    ExitCode::from(exit_code(arguments, process).await)
}

async fn exit_code(arguments: impl IntoIterator<Item = OsString>, process: &mut Process) -> u8 {
    let outcome = match Cli::try_parse_from(arguments) {
        // boxed: the largest command is much larger than what waits for it
        Ok(cli) => Box::pin(cli.command.run(process)).await,
        Err(error) => return process.show_usage(&error),
    };
    match outcome {
        Ok(()) => 0,
        Err(failure) => process.show_failure(&failure),
    }
}

impl Command {
    async fn run(self, process: &mut Process) -> Result<(), Failure> {
        match self {
            Self::Audit(command) => command.run(process).await,
            Self::Completion(command) => command.run(process),
            Self::Config(command) => command.run(process).await,
            Self::Dev(command) => Box::pin(command.run(process)).await,
            Self::Explain(command) => command.run(process).await,
            Self::Issue(command) => command.run(process).await,
            Self::Login(command) => command.run(process).await,
            Self::Logout(command) => command.run(process),
            Self::Man(command) => command.run(process),
            Self::Policy(command) => command.run(process).await,
            Self::Registry(command) => command.run(process).await,
            Self::Review(command) => command.run(process).await,
            Self::Revoke(command) => command.run(process).await,
            Self::ScopeMap(command) => command.run(process).await,
            Self::Serve(command) => command.run(process).await,
            Self::Token(command) => command.run(process).await,
        }
    }
}

#[cfg(test)]
mod tests;
