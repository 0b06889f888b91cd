//! What the page shows.

use contracts::reporting::{DriftRow, RunRow};
use contracts::{Champion, RunId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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
