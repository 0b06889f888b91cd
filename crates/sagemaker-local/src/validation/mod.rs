//! Validation of requests against AWS's published service models.
//!
//! The models are read at startup from botocore's data folder; no operation is hard-coded here. Pure, apart from
//! reading those files.

mod check;
mod model;
mod pattern;
mod shape;

pub use model::{ModelError, Service, ServiceModels};
