//! HTML that needs nothing but a browser: one file, no server, no network.
//!
//! A document goes in, text comes out. Nothing here reads, writes or computes statistics: what is drawn is what the
//! document says.
//!
//! - `drift`: the page of one `drift.json`.
//! - `dashboard`: the page of a use case over time; a feature of the crate.
//! - `index`: the page of all use cases; of the same feature.
//! - `page`: the frame, style and script that every page has in common.
//! - `charts`: shares to the shapes of bars and lines.
//! - `text`: numbers and strange names as people can read them.
//!
//! Column names and categories are other people's data. They reach a page only through the templates, which escape
//! every value. One is marked as safe: the JSON that the dashboard's script reads, escaped where it is made.

mod charts;
#[cfg(feature = "dashboard")]
pub mod dashboard;
pub mod drift;
#[cfg(feature = "dashboard")]
pub mod index;
mod page;
mod text;

pub use page::{About, Error};
