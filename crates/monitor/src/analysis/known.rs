//! The baseline that data is checked against, read from its files.

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
    /// Statistics of the baseline. Without them, only the constraints are checked, and drift can't be determined.
    pub statistics: Option<Statistics>,
    /// Constraints of the baseline, which people may have edited.
    pub constraints: Constraints,
    /// Warnings about the files, each with its place.
    pub warnings: Vec<String>,
    /// The whole profile with its segments, if they are compared: see [`Known::read_segments`].
    pub profile: Option<Profile>,
    /// Statistics of the model's predictions: columns of these names are predictions.
    pub predictions: Option<Statistics>,
}

impl Known {
    /// Reads the baseline in a folder: `constraints.json` and `statistics.json`, and those of predictions if they
    /// exist.
    ///
    /// # Errors
    /// A file is missing or invalid.
    pub fn in_folder(path: &Path) -> Result<Self, Error> {
        let lacking = [folder::CONSTRAINTS, folder::STATISTICS]
            .into_iter()
            .find(|name| !path.join(name).exists());
        if let Some(name) = lacking {
            let what = if path.is_dir() {
                format!("it has no {name}")
            } else {
                "this is not a folder".to_owned()
            };
            return Err(Error::File {
                path: path.to_owned(),
                what: format!("{what}: a baseline is what `drivetrain-monitor baseline DATA --output FOLDER` writes"),
            });
        }
        let there = |name: &str| Some(path.join(name)).filter(|it| it.exists());
        let mut known = Self::read(&path.join(folder::CONSTRAINTS), Some(&path.join(folder::STATISTICS)))?;
        if let Some(predictions) = there(folder::PREDICTION_STATISTICS) {
            known.predictions = Some(read_statistics(&predictions)?);
        }
        Ok(known)
    }

    /// Reads the two documents of the contract.
    ///
    /// # Errors
    /// A file is missing or invalid.
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

    /// Reads the segments of the baseline from its `state.zst`. If it has no segments for this column, there is a
    /// warning, and the segments of the data are not compared. The same applies if the state is of other data, since it
    /// may be left from an earlier baseline in the same folder.
    ///
    /// # Errors
    /// The state can't be read.
    pub fn read_segments(&mut self, state: &Path, column: &str) -> Result<(), Error> {
        let profile = if state.exists() { Some(read_state(state)?) } else { None };
        if let Some((profile, statistics)) = profile.as_ref().zip(self.statistics.as_ref())
            // Compared as texts, because NaN is not equal to itself.
            && profile.statistics().to_text() != statistics.to_text()
        {
            self.warnings.push(format!(
                "{} is of other data than statistics.json, and is ignored: make the baseline again, or remove the state",
                state.display()
            ));
            return Ok(());
        }
        let segments = profile.as_ref().and_then(|it| it.segments.as_ref());
        match segments.map(|it| &it.column) {
            Some(found) if found == column => {}
            Some(other) => self.warnings.push(format!(
                "the segments of the baseline are by `{other}`: those by `{column}` are compared with nothing; make the \
                 baseline with the same column"
            )),
            None => self.warnings.push(format!(
                "the baseline has no segments: those by `{column}` are compared with nothing; make the baseline with \
                 the same column"
            )),
        }
        self.profile = profile;
        Ok(())
    }

    /// Names of the columns in order, for data that does not name them.
    pub fn names(&self) -> Vec<String> {
        self.constraints.features.iter().map(|it| it.name.clone()).collect()
    }

    /// The expectations that affect reading: which columns are numeric, and which have a domain.
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
/// It is missing or invalid.
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

/// Whether it is the `statistics.json` of model quality.
fn is_of_quality(text: &str) -> bool {
    let document: Option<serde_json::Map<String, serde_json::Value>> = serde_json::from_str(text).ok();
    document.is_some_and(|it| it.keys().any(|key| key.ends_with("_metrics")))
}

/// Reads `state.zst`.
///
/// # Errors
/// It is missing or invalid.
pub fn read_state(path: &Path) -> Result<Profile, Error> {
    let file = std::fs::File::open(path).map_err(|error| Error::reading(path, &error))?;
    Profile::load(file).map_err(|error| Error::State {
        path: path.to_owned(),
        error,
    })
}
