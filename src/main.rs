//! The program `dockpass`: see `dockpass --help`.

use std::process::ExitCode;

use dockpass::cli::{self, Process};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(cli::run(std::env::args_os(), &mut Process::current())),
        Err(_) => ExitCode::FAILURE,
    }
}
