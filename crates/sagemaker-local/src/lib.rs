//! A SageMaker on one machine.
//!
//! Requests are checked against AWS's published service model and refused as AWS refuses them. An image's programs run
//! as child processes with the documented `/opt/ml` layout; jobs pass through the statuses that AWS reports.
//! Differences from AWS are listed in `docs/semantics.md`; anything that is not implemented is answered with an error
//! that says so.
//!
//! Deliberately left out: persistence (a restart forgets everything), signature checks, quotas, and any knowledge of
//! the project that uses it.

mod app;
mod autoscaling;
mod browsers;
mod capture;
mod containers;
mod dispatch;
mod endpoints;
mod error;
mod faults;
mod host;
mod jobs;
mod models;
mod names;
mod operations;
mod request;
mod s3;
mod server;
mod serving;
mod settings;
mod store;
mod transform;
mod validation;

pub use app::{App, StartError};
pub use server::{router, serve};
pub use settings::Settings;
pub use validation::Service;
