//! The analyzer: statistics, constraints, drift and model quality of data that streams by once.
//!
//! Its files are those of SageMaker Model Monitor's analyzer container (`statistics.json`, `constraints.json`,
//! `constraint_violations.json`), to the digit where that is possible, and `drift.json` (the type of `drift-document`),
//! which says what comes of them.
//!
//! From the inside out:
//! - `sketch`: what is kept of a stream of values: KLL quantiles, HyperLogLog++ distinct counts. No I/O.
//! - `profile`: what is kept of a table: one accumulator a column, merged and saved. No I/O.
//! - `documents`: the contract's files: types, their text form to the character, lenient reading. No I/O.
//! - `checks`: constraints suggested from statistics, and judged against them. No I/O.
//! - `drift`: distances between two statistics, false-discovery control, the outcome. No I/O.
//! - `quality`: metrics of predictions against ground truth. No I/O.
//! - `read`: files to profiles: formats, compression, threads. The only place that reads data.
//! - `analysis`: what the program does, whoever runs it: baseline, check, model quality, and the files of each.
//! - `container`: the program as SageMaker runs it; `cli`: the program as people run it.

pub mod analysis;
pub mod checks;
pub mod cli;
pub mod container;
pub mod documents;
pub mod drift;
pub mod profile;
pub mod quality;
mod quotes;
pub mod read;
pub mod sketch;
