//! The resources that endpoints and transform jobs are made from: models and endpoint configurations.

pub mod endpoint_config;
pub mod model;
