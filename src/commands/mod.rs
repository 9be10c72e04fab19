//! What each command does, and what it tells the person at the terminal.
//!
//! The commands are compiled with the library, because the body of an `async fn` is compiled wherever it is awaited for good: a
//! program that awaited the library's functions would compile most of them anew.

// A reader that closes the pipe must not end a command with a panic: see `say`.
#![warn(clippy::print_stdout, clippy::print_stderr)]

mod access;
mod attack;
mod audit;
mod boundaries;
mod build;
mod chart;
mod cluster;
mod contradictions;
mod corrections;
mod demo;
mod explain;
mod keys;
mod leave_out;
mod log;
mod protection;
mod release;
mod report;
mod sample;
mod say;
mod serve;
mod verify;
mod weights;
mod withdraw;

use std::{path::Path, process::ExitCode, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use tracing_subscriber::EnvFilter;

use crate::{
    cli::{Boundaries, Cli, Command, DefinitionArgs},
    engine::{ServingEngine, ServingSettings},
    register::{Definitions, FileSources, Origin, definitions_alone, shipped},
    release::Catalogue,
    storage::{Store, read_folder, read_text},
    tables::Library,
};
use access::access;
use attack::attack;
use audit::audit;
use boundaries::add_boundaries;
use build::{Counting, build, build_with};
use chart::chart;
use demo::demo;
use keys::keys;
use release::{Protecting, release, release_with, releases};
use sample::sample;
use serve::serve;
use verify::verify;
use withdraw::withdraw;

/// What is logged where `CACAH_LOG` does not say otherwise. That a job failed is told by the command that sent it.
const LOGGED: &str = "warn,cacah=info,ballista_core::execution_plans::distributed_query=off";

/// Does what the command line asks for; what goes wrong is told on standard error.
pub fn run(cli: Cli) -> ExitCode {
    let filter = EnvFilter::try_from_env("CACAH_LOG").unwrap_or_else(|_| EnvFilter::new(LOGGED));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(|| say::Log).init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            say::error(&format!("starting threads: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let outcome = runtime.block_on(async {
        match cli.command {
            Command::Demo(args) => Box::pin(demo(args)).await,
            Command::Sample(args) => sample(args).await,
            Command::Build(args) => build(args).await,
            Command::Release(args) => release(args).await,
            Command::Audit(args) => audit(args).await,
            Command::Attack(args) => attack(args).await,
            Command::Releases(args) => releases(args).await,
            Command::Verify(args) => Box::pin(verify(args)).await,
            Command::Withdraw(args) => withdraw(args).await,
            Command::Keys(args) => keys(args).await,
            Command::Serve(args) => Box::pin(serve(*args)).await,
            Command::Chart(args) => chart(args).await,
            Command::Access(args) => access(args).await,
            Command::Log(args) => log::log(&args),
            Command::Report(args) => report::report(args),
            Command::Worker(args) => Box::pin(cluster::worker(args)).await,
            Command::Scheduler(args) => Box::pin(cluster::scheduler(args)).await,
            Command::Boundaries(Boundaries::Add(args)) => add_boundaries(args).await,
        }
    });
    match outcome.and_then(|()| say::outcome().context("writing to standard output")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Definitions, and the texts they were read from.
struct LoadedDefinitions {
    definitions: Definitions,
    origin: Origin,
}

/// Reads the definitions that the arguments name; `vintage` names their regions, if they shall not do so themselves.
fn load_definitions(args: &DefinitionArgs, vintage: Option<String>) -> Result<LoadedDefinitions> {
    let sources = match &args.definitions {
        Some(folder) => definitions_alone(read_folder(folder)?),
        None => shipped(),
    };
    let regions = match &args.regions {
        Some(path) => Some((path.display().to_string(), read_text(path)?)),
        None => None,
    };
    let origin = Origin { sources, regions, vintage };
    let definitions = origin.parse().map_err(|mut error| {
        // The set names its files from its own folder; people look for them from theirs.
        if let Some(folder) = args.definitions.as_deref().filter(|_| origin.sources.contains_key(&error.file)) {
            error.file = Path::new(folder).join(&error.file).display().to_string();
        }
        error
    })?;
    Ok(LoadedDefinitions { definitions, origin })
}

/// What is published, opened to be read.
struct Releases {
    store: Store,
    engine: Arc<ServingEngine>,
    library: Arc<Library>,
}

/// Opens the releases of a place.
async fn open_releases(place: &str) -> Result<Releases> {
    let store = Store::open(place)?;
    let catalogue = Catalogue::open(&store).await?;
    let engine = Arc::new(ServingEngine::new(&store, ServingSettings::default())?);
    let library = Arc::new(Library::open(&catalogue, &engine).await?);
    if let Some(why) = library.withdrawn_wholly() {
        bail!("there is nothing left in '{store}': {why}");
    }
    Ok(Releases { store, engine, library })
}

/// The files of a folder that the operator names; those of the program where none is named.
fn files_in(folder: Option<&Path>) -> Result<FileSources> {
    let Some(folder) = folder else { return Ok(FileSources::Shipped) };
    let files = read_folder(folder)?.into_iter();
    Ok(FileSources::Given(files.map(|(file, text)| (folder.join(file).display().to_string(), text)).collect()))
}

/// A duration for people.
fn seconds(duration: Duration) -> String {
    match duration.as_secs_f64() {
        seconds if seconds < 120.0 => format!("{seconds:.1} s"),
        seconds => format!("{:.0} min {:02.0} s", (seconds / 60.0).floor(), seconds % 60.0),
    }
}
