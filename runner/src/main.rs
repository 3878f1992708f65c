//! The campaignd program.

use std::process::ExitCode;

/// Messages are made on one thread and let go of on another, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    runner::cli::main()
}
