//! The analyzer: statistics, constraints, drift and model quality, computed in a single pass over the data.
//!
//! Its files are those of SageMaker Model Monitor's analyzer container (`statistics.json`, `constraints.json`,
//! `constraint_violations.json`), equal in every digit where that is possible, and `drift.json` (a type of
//! `drift-document`), which gives the outcome.
//!
//! From the inside out:
//! - `sketch`: summaries of a stream of values: KLL quantiles, HyperLogLog++ distinct counts. No I/O.
//! - `profile`: the profile of a table: one accumulator for each column, which can be merged and saved. No I/O.
//! - `documents`: the contract's files: types, their exact text form, lenient reading. No I/O.
//! - `checks`: constraints suggested from statistics, and their evaluation. No I/O.
//! - `drift`: distances between two statistics, false-discovery control, the outcome. No I/O.
//! - `quality`: metrics of predictions against ground truth. No I/O.
//! - `read`: reads files into profiles: formats, compression, threads. The only module that reads data.
//! - `analysis`: the functions of the program: baseline, check, model quality, and the files of each.
//! - `container`: the program as run by SageMaker; `cli`: the program as run by people.

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
