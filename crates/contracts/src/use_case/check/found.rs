//! Mistakes in a document, and their collection.

use crate::names::{self, MAX_ID};
use std::fmt;

/// A mistake in a document, and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The place: keys and list positions, as in `models[1].metric.name`.
    pub path: String,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// The mistakes of a document, in the document's order.
#[derive(Default)]
pub struct Found(pub Vec<Mistake>);

impl Found {
    /// Adds a mistake at a place.
    pub fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Mistake {
            path: path.into(),
            message: message.into(),
        });
    }

    /// Adds a mistake if the id is invalid.
    pub fn id(&mut self, path: impl Into<String>, id: &str) {
        if id.is_empty() || id.len() > MAX_ID {
            self.add(
                path,
                format!("`{id}` has {} characters; it may have 1 to {MAX_ID}", id.len()),
            );
        } else if !names::is_id(id) {
            self.add(
                path,
                format!("`{id}` must be lower-case letters, digits and single hyphens, beginning with a letter"),
            );
        }
    }
}
