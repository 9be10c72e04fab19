//! The scheduler of Ballista as it comes, for those who have none yet.

use std::{net::SocketAddr, sync::Arc};

use ballista_scheduler::{cluster::BallistaCluster, config::SchedulerConfig, scheduler_process::start_server};

use crate::error::{Error, Result};

/// Hands work to workers until the process ends. A worker that was not heard of for `lost_after` seconds is taken for lost, and what it had
/// begun is given to others.
pub async fn schedule(listen: SocketAddr, lost_after: u64) -> Result<()> {
    let failed = |error: ballista_core::error::BallistaError| Error::storage(format!("the scheduler on {listen}"), error);
    let config = SchedulerConfig {
        bind_host: listen.ip().to_string(),
        bind_port: listen.port(),
        external_host: listen.ip().to_string(),
        executor_timeout_seconds: lost_after,
        expire_dead_executor_interval_seconds: (lost_after / 4).clamp(1, 15),
        no_executors_grace_period_seconds: lost_after.max(60),
        ..SchedulerConfig::default()
    };
    let cluster = BallistaCluster::new_from_config(&config).await.map_err(failed)?;
    start_server(cluster, listen, Arc::new(config)).await.map_err(failed)
}
