//! `cacah`: a statistics warehouse for a population register.

pub mod classify;
pub mod cube;
pub mod engine;
pub mod error;
pub mod ingest;
pub mod protect;
pub mod register;
pub mod release;
pub mod storage;
