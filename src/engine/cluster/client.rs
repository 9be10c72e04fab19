//! Sends plans to a scheduler.

use std::sync::Arc;

use async_trait::async_trait;
use ballista_core::{execution_plans::execute_physical_plan, extension::SessionConfigExt, serde::BallistaPhysicalExtensionCodec};
use datafusion::{
    datasource::{
        listing::PartitionedFile,
        physical_plan::{ArrowSource, FileGroup, FileScanConfigBuilder},
        source::DataSourceExec,
    },
    execution::object_store::ObjectStoreUrl,
    physical_plan::ExecutionPlan,
    prelude::SessionConfig,
};
use datafusion_proto::protobuf::PhysicalPlanNode;
use futures::TryStreamExt;

use super::{
    super::{Crew, Scheduler},
    FENCE, schema,
};
use crate::error::{Error, Result};

/// The workers of a cluster, by way of its scheduler.
#[derive(Debug)]
pub struct Ballista {
    scheduler: Scheduler,
}

impl Ballista {
    /// Those that this scheduler has.
    pub fn new(scheduler: Scheduler) -> Self {
        Self { scheduler }
    }
}

/// A scan of parts, each a partition of its own.
pub(super) fn plan(place: &str, parts: &[String]) -> Arc<dyn ExecutionPlan> {
    let groups = parts.iter().map(|part| FileGroup::new(vec![PartitionedFile::new(part, 0)])).collect();
    let source = Arc::new(ArrowSource::new_file_source(schema(place)));
    let scan = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), source).with_file_groups(groups).build();
    DataSourceExec::from_data_source(scan)
}

/// What went wrong, out of an error that tells it within others: what a worker said, or else the innermost message.
fn cause(error: &str) -> String {
    if let Some(said) = error.split(FENCE).nth(1) {
        return said.replace('\\', "");
    }
    let message = error.rsplit_once("message: \"").and_then(|(_, rest)| rest.split_once('"'));
    message.map_or_else(|| error.trim_start_matches("Execution error: "), |(message, _)| message).trim().to_owned()
}

#[async_trait]
impl Crew for Ballista {
    async fn work(&self, place: &str, parts: &[String]) -> Result<()> {
        let scheduler = &self.scheduler;
        let failed = |error: datafusion::error::DataFusionError| {
            Error::storage(
                format!("the cluster of the scheduler at {scheduler}"),
                format!(
                    "{}; see that a scheduler of Ballista {} is there and that all of its executors are `cacah worker`s, or count on this \
                         machine, without --engine",
                    cause(&error.to_string()),
                    ballista_core::BALLISTA_VERSION
                ),
            )
        };
        let config = SessionConfig::new_with_ballista();
        let (cluster, codec) = (config.ballista_config(), BallistaPhysicalExtensionCodec::default());
        // One session for each job, which the folder is named by.
        let session = place.rsplit('/').next().unwrap_or(place).to_owned();
        let done =
            execute_physical_plan::<PhysicalPlanNode>(format!("http://{scheduler}"), &cluster, plan(place, parts), &codec, session, config);
        let stream = done.await.map_err(failed)?;
        stream.try_for_each(|_| async { Ok(()) }).await.map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cause_is_found_within() {
        let lost = r#"Execution error: tonic::transport::Error(Transport, ConnectError(Os { code: 111, message: "Connection refused" }))"#;
        assert_eq!(cause(lost), "Connection refused");
        let said =
            r#"Job 1 failed: "Task failed due to IO error: IoError(Custom { error: \"¦s3://office/job.json: 403 Forbidden: \"no\"¦\" })""#;
        assert_eq!(cause(said), r#"s3://office/job.json: 403 Forbidden: "no""#);
        assert_eq!(cause("Execution error: no scheduler\n"), "no scheduler");
    }
}
