//! `cacah`: a statistics warehouse for a population register.
//!
//! Every period the register's snapshot becomes count cubes, the cubes become a protected release, and a service
//! answers for tables out of released cells alone:
//!
//! ```text
//! snapshot ─ ingest ─ classify ─ cube ─ protect ─ audit ─ release ─ tables ─ formats ─ serve
//!  files     chunks    codes     counts  worlds   checks  Parquet   cells    bytes     HTTP
//! └──────────────────── confidential ────────────────────┘└─────────── public ─────────────┘
//! ```
//!
//! What is counted is told by [`register::Definitions`], text files that ship with the program or come from the operator:
//!
//! ```
//! use cacah::register::{Definitions, shipped};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let definitions = Definitions::parse(&shipped(), None)?;
//! let population = definitions.tables.iter().find(|table| table.id == "population").ok_or("no such table")?;
//! println!("{} cells", definitions.shape(population).cells);
//! # Ok(())
//! # }
//! ```
//!
//! # Invariants
//!
//! - The public side (`release` and what stands below it) never uses the confidential one; it is built from a release alone.
//! - Every record read is accepted or rejected with a reason; marginals are added up, never counted apart.
//! - A release is a pure function of snapshot and definitions, exists once its manifest does, and never changes.
//! - A number that is not published has no value in any file or answer.
//! - A module uses only modules above it in the list below; `tests/architecture.rs` holds this.

#![cfg_attr(not(test), warn(clippy::unwrap_used))]

pub mod attack;
mod digits;
pub mod error;
pub mod parallel;
pub mod recent;
pub mod register;
mod signing;
pub mod spreadsheet;
pub mod storage;
pub mod words;
pub mod worlds;

pub mod engine;

pub mod audit;
pub mod classify;
pub mod cube;
pub mod ingest;
pub mod protect;
pub mod sample;

pub mod access;
pub mod charts;
pub mod dashboards;
pub mod formats;
pub mod release;
pub mod sdmx;
pub mod serve;
pub mod sql;
pub mod tables;
pub mod usage;

pub mod cli;
pub mod commands;
