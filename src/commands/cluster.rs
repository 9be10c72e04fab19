//! `cacah worker`, `cacah scheduler`, and the crew that a count is given to.

use anyhow::Result;

use crate::{
    cli::{SchedulerArgs, WorkerArgs},
    engine::{Crew, Scheduler},
};

#[cfg(feature = "cluster")]
mod built {
    use std::sync::Arc;

    use super::*;
    use crate::{
        commands::say::say,
        cube::Workshop,
        engine::{
            Engine,
            cluster::{Ballista, WorkerSettings, schedule, serve_work},
        },
    };

    /// The workers of a scheduler.
    pub fn crew(scheduler: Scheduler) -> Result<Box<dyn Crew>> {
        Ok(Box::new(Ballista::new(scheduler)))
    }

    /// Runs `cacah worker`.
    pub async fn worker(args: WorkerArgs) -> Result<()> {
        let scratch = args.scratch.unwrap_or_else(std::env::temp_dir);
        let engine = Engine::new(args.threads)?;
        let settings = WorkerSettings {
            scheduler: args.scheduler,
            listen: args.listen,
            advertise: args.advertise,
            ports: (args.port, args.control_port),
            threads: engine.threads(),
            scratch: scratch.clone(),
        };
        say!("working for {}, {} parts at a time", settings.scheduler, settings.threads);
        let workshop = Workshop::new(engine, scratch, args.memory << 20);
        Ok(serve_work(settings, Arc::new(workshop)).await?)
    }

    /// Runs `cacah scheduler`.
    pub async fn scheduler(args: SchedulerArgs) -> Result<()> {
        say!("scheduler at {}; next: cacah worker --scheduler {0}", args.listen);
        Ok(schedule(args.listen, args.lost_after).await?)
    }
}

#[cfg(not(feature = "cluster"))]
mod built {
    use super::*;

    fn absent() -> anyhow::Error {
        anyhow::anyhow!("this cacah was built without clusters; build one with: cargo build --release --features cluster")
    }

    pub fn crew(_: Scheduler) -> Result<Box<dyn Crew>> {
        Err(absent())
    }

    pub async fn worker(_: WorkerArgs) -> Result<()> {
        Err(absent())
    }

    pub async fn scheduler(_: SchedulerArgs) -> Result<()> {
        Err(absent())
    }
}

pub use built::{crew, scheduler, worker};
