//! A proposed document, and what it was made of.

use serde::Serialize;

/// A document, and what it was made of.
#[derive(Clone, Debug, Serialize)]
pub struct Proposal {
    /// The use case's id.
    pub use_case: String,
    /// The commented YAML.
    pub document: String,
    /// Rows of the file that fit its header.
    pub rows: u64,
    /// What each column of the file became, in its order.
    pub columns: Vec<Decided>,
    /// Errors of predictions without a model.
    pub baseline: Reached,
    /// What else to know.
    pub notes: Vec<String>,
}

/// What a column became.
#[derive(Clone, Debug, Serialize)]
pub struct Decided {
    /// Its name.
    pub column: String,
    /// `target`, a type of the document, or `left out`.
    pub becomes: String,
    /// Whether a row needs a value of it.
    pub required: bool,
    /// Why.
    pub why: String,
}

/// Errors of predictions without a model, in the target's unit.
#[derive(Clone, Debug, Serialize)]
pub struct Reached {
    /// The middle of the target.
    pub median: f64,
    /// RMSE of predicting the middle for every row.
    pub rmse_of_median: f64,
    /// The column whose groups' middles are better.
    pub group_by: Option<String>,
    /// Their RMSE.
    pub rmse_by_group: Option<f64>,
}
