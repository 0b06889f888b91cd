//! Containers as programs: which command an image is, and running it with a `/opt/ml` of its own.
//!
//! Nothing here knows what a job or an endpoint is.

pub mod archive;
mod images;
mod paths;
mod process;

pub use images::{Images, ImagesError, MetricDefinition, unmapped};
pub use paths::local_path;
pub use process::{Container, ContainerSpec, Containers, Exit};
