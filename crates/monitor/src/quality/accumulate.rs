//! Accumulates a stream of pairs for any problem type; converts texts to numbers and classes.

use super::ProblemType;
use super::binary::Binary;
use super::metrics::Metrics;
use super::multiclass::Multiclass;
use super::pair::{Pair, PairError, number};
use super::regression::Regression;

/// The accumulated pairs.
#[derive(Clone, Debug, PartialEq)]
pub enum Accumulator {
    /// Numbers.
    Regression(Box<Regression>),
    /// The classes 0 and 1.
    Binary(Box<Binary>),
    /// Several classes.
    Multiclass(Box<Multiclass>),
}

/// Why two parts can't be merged.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MergeError {
    /// The parts are of different problem types.
    #[error("metrics of {0} and of {1} cannot be put together")]
    Problems(&'static str, &'static str),
    /// Together they have too many classes.
    #[error(transparent)]
    TooManyClasses(#[from] super::multiclass::TooManyClasses),
}

impl Accumulator {
    /// An accumulator without pairs.
    pub fn new(problem: ProblemType) -> Self {
        match problem {
            ProblemType::Regression => Self::Regression(Box::default()),
            ProblemType::BinaryClassification => Self::Binary(Box::default()),
            ProblemType::MulticlassClassification => Self::Multiclass(Box::default()),
        }
    }

    /// Adds a pair. `row` is a number that stays the same for this row in every run, such as its position in the data:
    /// it decides which samples the row belongs to.
    ///
    /// # Errors
    ///
    /// Prediction or ground truth is missing or is not what the problem type requires; the pair is then left out.
    pub fn push(&mut self, row: u64, pair: &Pair<'_>) -> Result<(), PairError> {
        let (inference, truth) = (pair.inference.as_deref(), pair.truth.as_deref());
        match self {
            Self::Regression(regression) => {
                regression.push(row, number("prediction", inference)?, number("ground truth", truth)?);
            }
            Self::Binary(binary) => {
                let truth = class("ground truth", truth)?;
                let probability = pair.probability.as_deref();
                let score = probability.map(|text| number("probability", Some(text))).transpose()?;
                let prediction = match (inference, score) {
                    (None, Some(score)) => score >= pair.threshold,
                    (inference, _) => class("prediction", inference)?,
                };
                binary.push(row, prediction, score, truth);
            }
            Self::Multiclass(multiclass) => {
                let prediction = inference.ok_or(PairError::Missing("prediction"))?;
                multiclass.push(row, prediction, truth.ok_or(PairError::Missing("ground truth"))?)?;
            }
        }
        Ok(())
    }

    /// Adds the rows that follow.
    ///
    /// # Errors
    ///
    /// The other part has another problem type, or both together have too many classes; `self` is then unchanged.
    pub fn merge(&mut self, other: Self) -> Result<(), MergeError> {
        match (self, other) {
            (Self::Regression(ours), Self::Regression(theirs)) => ours.merge(*theirs),
            (Self::Binary(ours), Self::Binary(theirs)) => ours.merge(*theirs),
            (Self::Multiclass(ours), Self::Multiclass(theirs)) => ours.merge(*theirs)?,
            (ours, theirs) => return Err(MergeError::Problems(ours.problem().as_str(), theirs.problem().as_str())),
        }
        Ok(())
    }

    /// The problem type.
    pub fn problem(&self) -> ProblemType {
        match self {
            Self::Regression(_) => ProblemType::Regression,
            Self::Binary(_) => ProblemType::BinaryClassification,
            Self::Multiclass(_) => ProblemType::MulticlassClassification,
        }
    }

    /// Number of pairs.
    pub fn rows(&self) -> u64 {
        match self {
            Self::Regression(regression) => regression.rows(),
            Self::Binary(binary) => binary.rows(),
            Self::Multiclass(multiclass) => multiclass.rows(),
        }
    }

    /// The metrics of all pairs.
    pub fn metrics(&self) -> Metrics {
        match self {
            Self::Regression(regression) => regression.metrics(),
            Self::Binary(binary) => binary.metrics(),
            Self::Multiclass(multiclass) => multiclass.metrics(),
        }
    }
}

/// Parses a class, `0`, `1`, `1.0` or `true`.
fn class(what: &'static str, text: Option<&str>) -> Result<bool, PairError> {
    let text = text.ok_or(PairError::Missing(what))?.trim();
    match text.parse::<f64>() {
        Ok(1.0) => return Ok(true),
        Ok(0.0) => return Ok(false),
        Ok(_) => {}
        Err(_) if text.eq_ignore_ascii_case("true") => return Ok(true),
        Err(_) if text.eq_ignore_ascii_case("false") => return Ok(false),
        Err(_) => {}
    }
    Err(PairError::NotAClass {
        what,
        text: text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(inference: Option<&'static str>, probability: Option<&'static str>, truth: &'static str) -> Pair<'static> {
        Pair {
            inference: inference.map(Into::into),
            probability: probability.map(Into::into),
            threshold: 0.5,
            truth: Some(truth.into()),
        }
    }

    fn value(accumulator: &Accumulator, name: &str) -> f64 {
        accumulator.metrics().get(name).unwrap().value
    }

    #[test]
    fn a_class_is_given_or_comes_from_the_probability() {
        let mut binary = Accumulator::new(ProblemType::BinaryClassification);
        binary.push(0, &pair(Some("0.0"), Some("0.9"), "1")).unwrap();
        binary.push(1, &pair(None, Some("0.5"), "True")).unwrap();
        binary.push(2, &pair(None, Some("0.49"), "0")).unwrap();
        assert_eq!((binary.rows(), value(&binary, "recall")), (3, 0.5));
    }

    #[test]
    fn what_does_not_fit_the_problem_type_is_left_out() {
        let refused = |problem: ProblemType, pair: &Pair<'_>| {
            let mut accumulator = Accumulator::new(problem);
            let error = accumulator.push(0, pair).unwrap_err();
            assert_eq!(accumulator.rows(), 0);
            error.to_string()
        };
        assert_eq!(
            refused(ProblemType::BinaryClassification, &pair(Some("0.7"), None, "1")),
            "prediction \"0.7\" is neither 0 nor 1; a probability belongs in probability_attribute"
        );
        assert_eq!(
            refused(ProblemType::BinaryClassification, &pair(None, None, "1")),
            "no value of prediction"
        );
        assert_eq!(
            refused(ProblemType::BinaryClassification, &pair(None, Some("NaN"), "1")),
            "probability \"NaN\" is not a number"
        );
        assert_eq!(
            refused(ProblemType::Regression, &pair(Some("1"), None, "cheap")),
            "ground truth \"cheap\" is not a number"
        );
        assert_eq!(
            refused(ProblemType::MulticlassClassification, &pair(None, None, "a")),
            "no value of prediction"
        );
    }

    #[test]
    fn parts_are_of_one_problem_type() {
        let mut regression = Accumulator::new(ProblemType::Regression);
        regression.push(0, &pair(Some("2"), None, "1")).unwrap();
        let mut more = Accumulator::new(ProblemType::Regression);
        more.push(1, &pair(Some("5"), None, "2")).unwrap();
        regression.merge(more).unwrap();
        assert_eq!(value(&regression, "mae"), 2.0);
        let error = regression
            .merge(Accumulator::new(ProblemType::BinaryClassification))
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "metrics of Regression and of BinaryClassification cannot be put together"
        );
    }
}
