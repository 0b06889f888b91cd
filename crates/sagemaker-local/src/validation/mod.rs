//! Requests against AWS's published service models.
//!
//! The models are read at start from botocore's data folder; nothing here knows any operation. Pure apart from
//! reading those files.

mod check;
mod model;
mod pattern;
mod shape;

pub use model::{ModelError, Service, ServiceModels};
