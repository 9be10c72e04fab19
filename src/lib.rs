//! `cacah`: a statistics warehouse for a population register.

pub mod error;
pub mod register;
pub mod release;
pub mod sample;
pub mod storage;
