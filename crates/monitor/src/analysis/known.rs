//! The baseline that data is checked against, as its files have it.

use super::error::Error;
use super::folder;
use crate::documents::error::Warning;
use crate::documents::statistics::InferredType;
use crate::documents::{Constraints, Statistics};
use crate::profile::{Expected, Profile};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// What is known before the data is read.
#[derive(Clone, Debug)]
pub struct Known {
    /// Without them only the constraints speak: nothing is said of drift.
    pub statistics: Option<Statistics>,
    /// People may have edited them.
    pub constraints: Constraints,
    /// What is odd about the constraints' file, each with its place.
    pub warnings: Vec<String>,
    /// The whole profile, with segments, where it was saved.
    pub profile: Option<Profile>,
    /// Of what the model answers: columns of these names are predictions.
    pub predictions: Option<Statistics>,
}

impl Known {
    /// The baseline in a folder: `constraints.json` and `statistics.json`, and what else there is.
    ///
    /// # Errors
    /// A file is missing or can't be understood.
    pub fn in_folder(path: &Path) -> Result<Self, Error> {
        if !path.join(folder::CONSTRAINTS).exists() {
            let what = if path.is_dir() {
                "it has no constraints.json"
            } else {
                "this is no folder"
            };
            return Err(Error::File {
                path: path.to_owned(),
                what: format!("{what}: a baseline is what `drivetrain-monitor baseline DATA --output FOLDER` writes"),
            });
        }
        let there = |name: &str| Some(path.join(name)).filter(|it| it.exists());
        let mut known = Self::read(&path.join(folder::CONSTRAINTS), Some(&path.join(folder::STATISTICS)))?;
        if let Some(state) = there(folder::STATE) {
            known.profile = Some(read_state(&state)?);
        }
        if let Some(predictions) = there(folder::PREDICTION_STATISTICS) {
            known.predictions = Some(read_statistics(&predictions)?);
        }
        Ok(known)
    }

    /// The two documents of the contract.
    ///
    /// # Errors
    /// A file is missing or can't be understood.
    pub fn read(constraints: &Path, statistics: Option<&Path>) -> Result<Self, Error> {
        let name = constraints.display().to_string();
        let parsed = Constraints::parse(&folder::read(constraints)?, &name)?;
        let warning = |it: &Warning| format!("{name}:{}:{}: {}", it.line, it.column, it.message);
        Ok(Self {
            statistics: statistics.map(read_statistics).transpose()?,
            warnings: parsed.warnings.iter().map(warning).collect(),
            constraints: parsed.document,
            profile: None,
            predictions: None,
        })
    }

    /// The columns, in their order: of data that does not name them.
    pub fn names(&self) -> Vec<String> {
        self.constraints.features.iter().map(|it| it.name.clone()).collect()
    }

    /// What the reader needs to know of columns: which are numeric, and which domain is asked of them.
    pub fn expected(&self) -> BTreeMap<String, Expected> {
        let features = self.constraints.features.iter().map(|feature| {
            let numeric = matches!(feature.inferred_type, InferredType::Integral | InferredType::Fractional);
            let domain = feature.domains.as_ref();
            let expected = Expected {
                numeric,
                domain: domain.map(|it| Arc::new(it.iter().map(|value| value.clone().into_bytes()).collect())),
            };
            (feature.name.clone(), expected)
        });
        let predictions = self.predictions.iter().flat_map(|it| &it.features).map(|feature| {
            let numeric = matches!(feature.inferred_type, InferredType::Integral | InferredType::Fractional);
            (feature.name.clone(), Expected { numeric, domain: None })
        });
        predictions.chain(features).collect()
    }
}

/// Reads `statistics.json`.
///
/// # Errors
/// It is missing or can't be understood.
pub fn read_statistics(path: &Path) -> Result<Statistics, Error> {
    let text = folder::read(path)?;
    Statistics::parse(&text, &path.display().to_string()).map_err(|error| {
        if is_of_quality(&text) {
            Error::File {
                path: path.to_owned(),
                what: "these are metrics of model quality: statistics of data are wanted, as \
                       `drivetrain-monitor baseline` writes them"
                    .to_owned(),
            }
        } else {
            error.into()
        }
    })
}

/// The other document that is called `statistics.json`.
fn is_of_quality(text: &str) -> bool {
    let document: Option<serde_json::Map<String, serde_json::Value>> = serde_json::from_str(text).ok();
    document.is_some_and(|it| it.keys().any(|key| key.ends_with("_metrics")))
}

/// Reads `state.zst`.
///
/// # Errors
/// It is missing or can't be understood.
pub fn read_state(path: &Path) -> Result<Profile, Error> {
    let file = std::fs::File::open(path).map_err(|error| Error::reading(path, &error))?;
    Profile::load(file).map_err(|error| Error::State {
        path: path.to_owned(),
        error,
    })
}
