//! The `cacah` program: parse, then the one match over commands in [`cacah::commands`].

use std::process::ExitCode;

use cacah::{cli::Cli, commands};
use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    commands::run(Cli::parse())
}
