//! `cacah worker` and `cacah scheduler`

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use clap::Args;

use crate::engine::Scheduler;

/// `cacah worker`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cacah worker --scheduler 10.0.0.5:50050 --listen 10.0.0.7
  cacah worker --scheduler scheduler.office:50050 --listen 0.0.0.0 --advertise counter-3.office --memory 4096

A worker opens snapshots and leaves counts where the one who counts says; on s3:// it needs the AWS_ variables for both.
Schedulers and workers trust whoever can reach them: keep them in a network of their own.")]
pub struct WorkerArgs {
    /// Scheduler of Apache Ballista that hands out the work
    #[arg(long, value_name = "HOST:PORT")]
    pub scheduler: Scheduler,
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub listen: IpAddr,
    /// Name or address by which scheduler and others reach this worker, if it is not the one it listens on
    #[arg(long, value_name = "HOST")]
    pub advertise: Option<String>,
    /// Port to listen on; 0 takes any that is free
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// Second port to listen on, for the scheduler; 0 takes any that is free
    #[arg(long, default_value_t = 0)]
    pub control_port: u16,
    /// Parts of a count to work on at a time; 0 takes one for each core
    #[arg(long, default_value_t = 0)]
    pub threads: usize,
    /// MiB of identities and households to hold in memory before they go to the scratch folder
    #[arg(long, value_name = "MIB", default_value_t = 1024)]
    pub memory: usize,
    /// Folder for what does not fit in memory
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
}

/// `cacah scheduler`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cacah scheduler --listen 10.0.0.5:50050
  cacah scheduler --lost-after 30                 give the work of a lost worker to others after 30 s

It is the scheduler of Apache Ballista as it comes; any other of the same version does as well.
Schedulers and workers trust whoever can reach them: keep them in a network of their own.")]
pub struct SchedulerArgs {
    /// Address and port to listen on
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:50050")]
    pub listen: SocketAddr,
    /// Seconds after which a worker that was not heard of counts as lost
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(2..=3600))]
    pub lost_after: u64,
}
