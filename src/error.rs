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
    /// What was asked for was not compared with its digest yet, or differs from it.
    #[error("{0}")]
    NotVerified(String),
    /// What was asked for has been withdrawn since.
    #[error("{0}")]
    Withdrawn(String),
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

    /// The [`Error::NotVerified`] or [`Error::Withdrawn`] that this is or that caused it.
    pub fn refusal(&self) -> Option<&Self> {
        let mut at: &(dyn std::error::Error + 'static) = self;
        loop {
            match at.downcast_ref::<Self>() {
                Some(refusal @ (Self::NotVerified(_) | Self::Withdrawn(_))) => return Some(refusal),
                _ => at = at.source()?,
            }
        }
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

#[cfg(test)]
mod tests {
    use datafusion::error::DataFusionError;
    use parquet::errors::ParquetError;

    use super::*;

    #[test]
    fn a_refusal_is_found_however_deep_it_lies() {
        let refusal = || Error::Withdrawn("gone".into());
        let deep = ParquetError::External(Box::new(refusal()));
        let deeper = DataFusionError::External(Box::new(Error::from(DataFusionError::from(deep))));
        for error in [refusal(), Error::from(deeper)] {
            assert!(matches!(error.refusal(), Some(Error::Withdrawn(_))), "{error:?}");
        }
        assert!(Error::NotFound("nothing".into()).refusal().is_none());
    }
}
