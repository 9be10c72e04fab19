//! `cacah`: a statistics warehouse for a population register.

pub mod classify;
pub mod cube;
pub mod engine;
pub mod error;
pub mod formats;
pub mod ingest;
pub mod protect;
pub mod register;
pub mod release;
pub mod serve;
pub mod storage;
pub mod tables;
