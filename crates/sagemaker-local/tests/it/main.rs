//! The server as clients see it: HTTP in, jobs and endpoints that really run, objects in an S3 out.

#![allow(clippy::unwrap_used, reason = "a test may stop at once")]

mod endpoints;
mod process;
mod processing;
mod protocol;
mod resources;
mod s3_stub;
mod serving;
mod support;
mod training;
mod transform;
