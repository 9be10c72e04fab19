//! One test binary: a second one would link the query engine a second time.

mod accounts;
mod architecture;
mod attack;
mod bad_input;
mod browser;
mod certified;
mod clients;
#[cfg(feature = "cluster")]
mod cluster;
mod common;
mod contributors;
mod counting;
mod definitions;
mod distributed;
mod drawing;
mod exhaustive;
mod fuzz;
mod http;
mod linked;
mod pipeline;
mod protection;
mod publishing;
mod s3;
mod signed;
mod spreadsheets;
mod support;
mod terminal;
