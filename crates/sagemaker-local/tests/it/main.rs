//! The server as clients see it: requests over HTTP, jobs and endpoints that really run, objects in S3.

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
