//! The program `dockpass`: see `dockpass --help`.

use std::process::ExitCode;

use dockpass::app;
use dockpass::cli::{self, Process};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match app::runtime() {
        Ok(runtime) => runtime.block_on(cli::run(std::env::args_os(), &mut Process::current())),
        Err(_) => ExitCode::FAILURE,
    }
}
