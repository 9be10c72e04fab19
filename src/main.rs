//! The `cacah` program: parse, start, one match over commands, exit code.

// A reader that closes the pipe must not end a command with a panic: see `commands::say`.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod cli;
mod commands;

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use cli::{Cli, Command};
use tracing_subscriber::EnvFilter;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_env("CACAH_LOG").unwrap_or_else(|_| EnvFilter::new("warn,cacah=info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| commands::say::Log).init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            commands::say::error(&format!("starting threads: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(async {
        match cli.command {
            Command::Demo(args) => commands::demo(args).await,
            Command::Sample(args) => commands::sample(args).await,
            Command::Build(args) => commands::build(args).await,
            Command::Release(args) => commands::release(args).await,
            Command::Audit(args) => commands::audit(args).await,
            Command::Releases(args) => commands::releases(args).await,
            Command::Serve(args) => commands::serve(args).await,
        }
    });
    match outcome.and_then(|()| commands::say::outcome().context("writing to standard output")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            commands::say::error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}
