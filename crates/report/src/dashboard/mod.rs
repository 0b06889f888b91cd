//! The page of a use case over time: champions, gate decisions, predictions, errors and drift.
//!
//! - `view`: what the template shows by itself, and the document that the script reads.
//! - `decided`: decisions, holds and refused files, which the template shows.
//! - `overview`: the use case at a glance, for the page of all of them.
//! - `windows`: drift rows in the order of windows and features, within a bounded size.
//! - `compact`: numbers and distributions as short as they can be shown.
//! - `dashboard.html`, `dashboard.css`, `script/`: the page. What depends on the filters is drawn by the script, which
//!   makes elements and texts, and never reads HTML from data.

mod compact;
mod decided;
mod overview;
mod view;
mod windows;

#[cfg(test)]
mod tests;

use contracts::reporting::{DriftRow, RunRow};
use contracts::{Champion, RunId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::page::{self, About, Error};
pub use overview::overview;

/// Everything that the dashboard of a use case shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dashboard {
    /// The stack: commands name it.
    pub stack: String,
    /// The use case.
    pub use_case: String,
    /// What is predicted, in the document's words. May be empty.
    #[serde(default)]
    pub description: String,
    /// The name of the column that is predicted; errors are in its unit.
    pub target: String,
    /// When what is shown was read.
    pub generated_at: Timestamp,
    /// How many days back was read.
    pub days: u32,
    /// In the order of the document.
    pub models: Vec<Model>,
    /// Runs of all kinds, and files that were refused, in any order.
    #[serde(default)]
    pub runs: Vec<RunRow>,
    /// Files that should be shown here and could not be read.
    #[serde(default)]
    pub unreadable: Vec<Unreadable>,
}

/// A model of the use case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// What serves now.
    #[serde(default)]
    pub champion: Option<Champion>,
    /// Its former and present champions, in any order.
    #[serde(default)]
    pub history: Vec<Champion>,
    /// What monitoring found, in any order.
    #[serde(default)]
    pub drift: Vec<DriftRow>,
    /// How far predictions were off, in any order.
    #[serde(default)]
    pub errors: Vec<WindowErrors>,
    /// Windows that were not read because there are newer ones enough.
    #[serde(default)]
    pub older_windows: u64,
}

/// How far the predictions of one champion were off, of those whose ground truth came in one window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowErrors {
    /// The window's number.
    pub window: u64,
    /// Who predicted.
    pub champion: RunId,
    /// Predictions with ground truth.
    pub labels: u64,
    /// Root of the mean squared error.
    pub rmse: f64,
    /// Mean absolute error.
    pub mae: f64,
    /// Mean of prediction less truth.
    pub mean_error: f64,
}

/// A file that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreadable {
    /// `s3://bucket/key`.
    pub uri: String,
    /// What is wrong with it.
    pub reason: String,
}

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
