//! The page of one analysis: `drift.json` for people.
//!
//! - `view`: the document in the order and the words of the page.
//! - `feature`: the same of one feature.
//! - `drift.html`, `feature.html`: the page and a card of it.

mod feature;
mod view;

#[cfg(test)]
mod tests;

use drift_document::Drift;

use crate::page::{self, About, Error};

/// The page of an analysis: a complete HTML file that loads nothing.
///
/// # Errors
///
/// None that a document could cause: see [`Error`].
pub fn html(drift: &Drift, about: &About) -> Result<String, Error> {
    let templates = [
        ("drift.html", include_str!("drift.html")),
        ("feature.html", include_str!("feature.html")),
    ];
    page::render(about, &templates, &view::Page::new(drift), None)
}
