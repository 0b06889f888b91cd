//! The page of a use case over time: champions, gate decisions, predictions, errors and drift.
//!
//! - `document`: what the page shows.
//! - `view`: what the template shows by itself, and the document that the script reads.
//! - `decided`: decisions, holds and refused files, which the template shows.
//! - `overview`: the use case at a glance, for the page of all of them.
//! - `windows`: drift rows in the order of windows and features, within a bounded size.
//! - `compact`: numbers and distributions as short as they can be shown.
//! - `dashboard.html`, `dashboard.css`, `script/`: the page. What depends on the filters is drawn by the script, which
//!   makes elements and texts, and never reads HTML from data.

mod compact;
mod decided;
mod document;
mod overview;
mod view;
mod windows;

#[cfg(test)]
mod tests;

pub use document::{Dashboard, Model, Unreadable, WindowErrors};

use crate::page::{self, About, Error};
pub use overview::overview;

/// The page of a use case: a complete HTML file that loads nothing.
///
/// # Errors
///
/// None that data could cause: see [`Error`].
pub fn html(dashboard: &Dashboard) -> Result<String, Error> {
    let about = About {
        title: dashboard.use_case.clone(),
        subtitle: dashboard.description.clone(),
        generated_at: dashboard.generated_at,
        links: Vec::new(),
    };
    let templates = [
        ("dashboard.html", include_str!("dashboard.html")),
        ("dashboard.css", include_str!("dashboard.css")),
        ("format.js", include_str!("script/format.js")),
        ("state.js", include_str!("script/state.js")),
        ("timeline.js", include_str!("script/timeline.js")),
        ("detail.js", include_str!("script/detail.js")),
        ("distribution.js", include_str!("script/distribution.js")),
        ("tables.js", include_str!("script/tables.js")),
        ("main.js", include_str!("script/main.js")),
    ];
    let (page, data) = view::new(dashboard);
    page::render(&about, &templates, &page, Some(&data))
}
