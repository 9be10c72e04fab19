//! One error for the whole library, sorted by who can mend it.

use crate::register::DefinitionError;

/// What went wrong, by blame.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A snapshot, a definition or an option is wrong; the text says where and how to mend it.
    #[error("{0}")]
    Input(String),
    /// A definition file is wrong.
    #[error("{0}")]
    Definition(#[from] DefinitionError),
    /// Something that was asked for is not there.
    #[error("{0}")]
    NotFound(String),
    /// What was asked for collides with what is there already.
    #[error("{0}")]
    Conflict(String),
    /// There is no room for it at the moment.
    #[error("{0}; try again soon")]
    Busy(String),
    /// Reading or writing failed: disk full, permissions, network.
    #[error("{context}: {cause}")]
    Storage {
        /// What was being read or written.
        context: String,
        /// What the store said.
        cause: String,
    },
    /// The query engine failed.
    #[error("query engine: {0}")]
    Engine(#[from] datafusion::error::DataFusionError),
    /// A bug of ours: no input should lead here.
    #[error("internal error, please report it: {0}")]
    Internal(String),
}

impl Error {
    /// A failure of a store or disk.
    pub fn storage(context: impl Into<String>, cause: impl std::fmt::Display) -> Self {
        Self::Storage { context: context.into(), cause: cause.to_string() }
    }
}

impl From<parquet::errors::ParquetError> for Error {
    fn from(error: parquet::errors::ParquetError) -> Self {
        Self::Engine(error.into())
    }
}

impl From<arrow::error::ArrowError> for Error {
    fn from(error: arrow::error::ArrowError) -> Self {
        Self::Engine(error.into())
    }
}

/// The library's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;
