//! Containers as local programs: finding the command for an image, and running it with its own `/opt/ml`.
//!
//! This module doesn't depend on jobs or endpoints.

pub mod archive;
mod images;
mod paths;
mod process;

pub use images::{Images, ImagesError, MetricDefinition, unmapped};
pub use paths::local_path;
pub use process::{Container, ContainerSpec, Containers, Exit};
