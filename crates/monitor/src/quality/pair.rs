//! Prediction and ground truth of a row, found in a table's record, a JSON record or a captured request.
//!
//! They are texts here: the problem type interprets them as classes or numbers (`accumulate`).

use std::borrow::Cow;

use serde_json::Value;

use super::ProblemType;
use super::attribute::{Attribute, AttributeError, text_of};
use super::capture::{CaptureError, CaptureRecord, GroundTruth, Payload, Row, rows};
use super::multiclass::TooManyClasses;

/// Default probability from which on the class is 1.
pub const DEFAULT_THRESHOLD: f64 = 0.5;

/// The contract's parameters; `None` for those that are not given.
#[derive(Clone, Copy, Debug, Default)]
pub struct Parameters<'p> {
    /// `inference_attribute`.
    pub inference: Option<&'p str>,
    /// `probability_attribute`.
    pub probability: Option<&'p str>,
    /// `probability_threshold_attribute`: a number, or the location of the number in the record.
    pub threshold: Option<&'p str>,
    /// `ground_truth_attribute`.
    pub ground_truth: Option<&'p str>,
}

/// The locations of prediction and ground truth.
#[derive(Clone, Debug, PartialEq)]
pub struct Attributes {
    inference: Option<Attribute>,
    probability: Option<Attribute>,
    threshold: Threshold,
    ground_truth: Option<Attribute>,
}

#[derive(Clone, Debug, PartialEq)]
enum Threshold {
    Value(f64),
    Attribute(Attribute),
}

/// Prediction and ground truth of a row. `None` for a missing value.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair<'r> {
    /// The prediction: a number or a class.
    pub inference: Option<Cow<'r, str>>,
    /// Probability of class 1.
    pub probability: Option<Cow<'r, str>>,
    /// The probability from which on the class is 1.
    pub threshold: f64,
    /// The ground truth: a number or a class.
    pub truth: Option<Cow<'r, str>>,
}

/// Why a record gives no pair, or a pair can't be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PairError {
    /// An attribute is not in the record.
    #[error(transparent)]
    Attribute(#[from] AttributeError),
    /// The payload cannot be read.
    #[error(transparent)]
    Payload(#[from] CaptureError),
    /// The ground truth is neither a single value nor a row of values.
    #[error("the ground truth is {0}, not one value a row")]
    GroundTruth(&'static str),
    /// The model did not answer.
    #[error("the record has no output")]
    NoOutput,
    /// The record has not been merged with ground truth.
    #[error("the record has no ground truth")]
    NoGroundTruth,
    /// It is unknown which values belong together.
    #[error("{predictions} predictions, but {truths} values of ground truth")]
    Count {
        /// Number of predictions in the record.
        predictions: usize,
        /// Number of values of ground truth.
        truths: usize,
    },
    /// It is unknown which predictions and probabilities belong together.
    #[error("{predictions} predictions, but {probabilities} probabilities")]
    Probabilities {
        /// Number of predictions in a row.
        predictions: usize,
        /// Number of probabilities in the same row.
        probabilities: usize,
    },
    /// The ground truth is for a row that the record doesn't have.
    #[error("the ground truth is of row {row} (from 0), but there are {predictions} predictions")]
    NoRow {
        /// The row, from 0.
        row: u64,
        /// Number of predictions in the record.
        predictions: usize,
    },
    /// A value is missing.
    #[error("no value of {0}")]
    Missing(&'static str),
    /// A value is not a finite number.
    #[error("{what} {text:?} is not a number")]
    NotANumber {
        /// Which value it is, such as `prediction`.
        what: &'static str,
        /// The text that was found.
        text: String,
    },
    /// A value is not one of the two classes.
    #[error("{what} {text:?} is neither 0 nor 1; a probability belongs in probability_attribute")]
    NotAClass {
        /// Which value it is, such as `prediction`.
        what: &'static str,
        /// The text that was found.
        text: String,
    },
    /// There are too many classes.
    #[error(transparent)]
    TooManyClasses(#[from] TooManyClasses),
}

impl PairError {
    /// The kind of error, the same text for all rows with this kind.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Attribute(_) => "attribute not in the record",
            Self::Payload(error) => error.reason(),
            Self::GroundTruth(_) => "ground truth is not values",
            Self::NoOutput => "no output",
            Self::NoGroundTruth => "no ground truth",
            Self::Count { .. } | Self::NoRow { .. } => "ground truth does not fit the predictions",
            Self::Probabilities { .. } => "probabilities do not fit the predictions",
            Self::Missing(_) => "missing value",
            Self::NotANumber { .. } => "not a number",
            Self::NotAClass { .. } => "not a class",
            Self::TooManyClasses(_) => "too many classes",
        }
    }
}

impl Attributes {
    /// Parses the parameters.
    ///
    /// # Errors
    ///
    /// A parameter is malformed, or one that the problem type requires is missing.
    pub fn parse(problem: ProblemType, parameters: &Parameters<'_>) -> Result<Self, AttributeError> {
        let attribute = |key, text: Option<&str>| text.map(|text| Attribute::parse(key, text)).transpose();
        let inference = attribute("inference_attribute", parameters.inference)?;
        let probability = attribute("probability_attribute", parameters.probability)?;
        let keys = match problem {
            _ if inference.is_some() => None,
            ProblemType::BinaryClassification if probability.is_some() => None,
            ProblemType::BinaryClassification => Some("inference_attribute or probability_attribute"),
            _ => Some("inference_attribute"),
        };
        if let Some(keys) = keys {
            return Err(AttributeError::Required {
                problem: problem.as_str(),
                keys,
            });
        }
        Ok(Self {
            inference,
            probability,
            threshold: Threshold::parse(parameters.threshold)?,
            ground_truth: attribute("ground_truth_attribute", parameters.ground_truth)?,
        })
    }

    /// Finds the columns of a table, once for all its records.
    ///
    /// # Errors
    ///
    /// The table lacks a column, or no `ground_truth_attribute` is given.
    pub fn columns<S: AsRef<str>>(&self, header: Option<&[S]>, columns: usize) -> Result<Columns, AttributeError> {
        let column = |attribute: &Attribute| attribute.column(header, columns);
        Ok(Columns {
            inference: self.inference.as_ref().map(column).transpose()?,
            probability: self.probability.as_ref().map(column).transpose()?,
            threshold: match &self.threshold {
                Threshold::Value(value) => ColumnThreshold::Value(*value),
                Threshold::Attribute(attribute) => ColumnThreshold::Column(column(attribute)?),
            },
            truth: column(self.required_ground_truth()?)?,
        })
    }

    /// The pairs in a JSON record that has both prediction and ground truth: one, unless an attribute contains `[*]`.
    ///
    /// # Errors
    ///
    /// An attribute is not in the record, or the numbers of values differ.
    pub fn of_json<'r>(&self, record: &'r Value) -> Result<Vec<Pair<'r>>, PairError> {
        let truths = self.required_ground_truth()?.select_json(record)?;
        let mut pairs = self.predictions(|attribute| attribute.select_json(record))?;
        if pairs.len() != truths.len() {
            return Err(PairError::Count {
                predictions: pairs.len(),
                truths: truths.len(),
            });
        }
        for (pair, truth) in pairs.iter_mut().zip(truths) {
            pair.truth = truth;
        }
        Ok(pairs)
    }

    /// The pairs of a captured request that is merged with its ground truth: one for each row whose ground truth is
    /// known. The prediction is located in the output, by index or JSONPath. Ground truth with one value for each row
    /// needs no attribute.
    ///
    /// # Errors
    ///
    /// Output or ground truth is missing or unreadable, an attribute is not there, or the numbers of values differ.
    pub fn of_capture(&self, record: &CaptureRecord<'_>) -> Result<Vec<Pair<'static>>, PairError> {
        let output = record.output.as_ref().ok_or(PairError::NoOutput)?.read()?;
        let truth = record.ground_truth.as_ref().ok_or(PairError::NoGroundTruth)?;
        let mut pairs = Vec::with_capacity(output.len());
        for row in &output {
            pairs.extend(self.predictions(|attribute| owned_values(attribute, row))?);
        }
        let truths = self.truths(truth, pairs.len())?;
        let mut pairs: Vec<_> = pairs.into_iter().map(Some).collect();
        let predictions = pairs.len();
        let mut found = Vec::with_capacity(truths.len());
        for (row, truth) in truths {
            // A row is given twice only if somebody wrote it so: the first one counts.
            let pair = usize::try_from(row).ok().and_then(|row| pairs.get_mut(row));
            let slot = pair.ok_or(PairError::NoRow { row, predictions })?;
            if let Some(mut pair) = slot.take() {
                pair.truth = truth.map(Cow::Owned);
                found.push(pair);
            }
        }
        Ok(found)
    }

    /// The rows and their true values.
    fn truths(&self, truth: &GroundTruth<'_>, predictions: usize) -> Result<Vec<(u64, Option<String>)>, PairError> {
        let payload = &truth.payload;
        let mut values = Vec::new();
        let mut width = 0;
        for row in payload.read()? {
            width = width_of(&row);
            values.extend(self.truth_of(&row)?);
        }
        // Several values in a single row, without row numbers: one for each prediction.
        if truth.rows.is_none() && values.len() == 1 && predictions > 1 && width == predictions {
            values = fields(payload)?;
        }
        let rows: Vec<u64> = match &truth.rows {
            Some(rows) => rows.clone(),
            None => (0..predictions as u64).collect(),
        };
        if rows.len() != values.len() {
            return Err(PairError::Count {
                predictions: rows.len(),
                truths: values.len(),
            });
        }
        Ok(rows.into_iter().zip(values).collect())
    }

    fn truth_of(&self, row: &Row<'_>) -> Result<Vec<Option<String>>, PairError> {
        // A single value needs no attribute.
        let several = match row {
            Row::Csv(fields) => fields.len() > 1,
            Row::Json(value) => value.is_object() || value.is_array(),
        };
        match &self.ground_truth {
            Some(attribute) if several => {
                let values = owned_values(attribute, row)?;
                Ok(values.into_iter().map(|value| value.map(Cow::into_owned)).collect())
            }
            _ => Ok(vec![first(row)?]),
        }
    }

    /// Predictions of one row, without ground truth yet. `values` finds the values of an attribute in the row.
    fn predictions<'r>(
        &self,
        values: impl Fn(&Attribute) -> Result<Vec<Option<Cow<'r, str>>>, AttributeError>,
    ) -> Result<Vec<Pair<'r>>, PairError> {
        let of = |attribute: &Option<Attribute>| attribute.as_ref().map(&values).transpose();
        let (inference, probability) = (of(&self.inference)?, of(&self.probability)?);
        let thresholds = match &self.threshold {
            Threshold::Value(value) => vec![*value],
            Threshold::Attribute(attribute) => {
                let texts = values(attribute)?;
                texts
                    .iter()
                    .map(|text| threshold_of(text.as_deref()))
                    .collect::<Result<_, _>>()?
            }
        };
        let count = inference.as_ref().or(probability.as_ref()).map_or(0, Vec::len);
        if let (Some(inference), Some(probability)) = (&inference, &probability)
            && inference.len() != probability.len()
        {
            return Err(PairError::Probabilities {
                predictions: inference.len(),
                probabilities: probability.len(),
            });
        }
        let absent = || std::iter::repeat_n(None, count).collect();
        let both = inference
            .unwrap_or_else(absent)
            .into_iter()
            .zip(probability.unwrap_or_else(absent));
        let pairs = both.enumerate().map(|(index, (inference, probability))| {
            let threshold = thresholds.get(index).or(thresholds.first());
            Ok(Pair {
                inference,
                probability,
                threshold: *threshold.ok_or(PairError::Missing("probability threshold"))?,
                truth: None,
            })
        });
        pairs.collect()
    }

    fn required_ground_truth(&self) -> Result<&Attribute, AttributeError> {
        self.ground_truth.as_ref().ok_or(AttributeError::Required {
            problem: "model quality of data without groundTruthData",
            keys: "ground_truth_attribute",
        })
    }
}

/// The columns of the attributes in a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Columns {
    inference: Option<usize>,
    probability: Option<usize>,
    threshold: ColumnThreshold,
    truth: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum ColumnThreshold {
    Value(f64),
    Column(usize),
}

impl Columns {
    /// The pair of a record. A field that is empty or absent is a missing value.
    ///
    /// # Errors
    ///
    /// The threshold is a column, and its value is not a number.
    pub fn pair<'r, F: AsRef<str>>(&self, record: &'r [F]) -> Result<Pair<'r>, PairError> {
        let field = |column: usize| {
            let field = record.get(column).map(|field| field.as_ref().trim());
            field.filter(|field| !field.is_empty())
        };
        Ok(Pair {
            inference: self.inference.and_then(field).map(Cow::Borrowed),
            probability: self.probability.and_then(field).map(Cow::Borrowed),
            threshold: match self.threshold {
                ColumnThreshold::Value(value) => value,
                ColumnThreshold::Column(column) => threshold_of(field(column))?,
            },
            truth: field(self.truth).map(Cow::Borrowed),
        })
    }
}

impl Threshold {
    fn parse(text: Option<&str>) -> Result<Self, AttributeError> {
        const KEY: &str = "probability_threshold_attribute";
        let Some(text) = text.map(str::trim) else {
            return Ok(Self::Value(DEFAULT_THRESHOLD));
        };
        match text.parse::<f64>() {
            Ok(value) if (0.0..=1.0).contains(&value) => Ok(Self::Value(value)),
            Ok(_) => Err(AttributeError::Malformed {
                key: KEY,
                text: text.to_owned(),
                expected: "a probability: 0 to 1",
            }),
            Err(_) => Attribute::parse(KEY, text).map(Self::Attribute),
        }
    }
}

fn threshold_of(text: Option<&str>) -> Result<f64, PairError> {
    number("probability threshold", text)
}

/// Parses a finite number; `what` names it in errors.
pub(crate) fn number(what: &'static str, text: Option<&str>) -> Result<f64, PairError> {
    let text = text.ok_or(PairError::Missing(what))?.trim();
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err(PairError::NotANumber {
            what,
            text: text.to_owned(),
        }),
    }
}

fn owned_values(attribute: &Attribute, row: &Row<'_>) -> Result<Vec<Option<Cow<'static, str>>>, AttributeError> {
    match row {
        Row::Csv(fields) => {
            let field = attribute.select(None::<&[&str]>, fields)?;
            Ok(vec![present(field).map(Cow::Owned)])
        }
        Row::Json(value) => {
            let values = attribute.select_json(value)?;
            Ok(values
                .into_iter()
                .map(|value| value.map(|text| Cow::Owned(text.into_owned())))
                .collect())
        }
    }
}

fn present(field: &str) -> Option<String> {
    let field = field.trim();
    (!field.is_empty()).then(|| field.to_owned())
}

/// The first value of a row.
fn first(row: &Row<'_>) -> Result<Option<String>, PairError> {
    match row {
        Row::Csv(fields) => Ok(fields.first().and_then(|field| present(field))),
        Row::Json(Value::Array(values)) => match values.first() {
            Some(value) => plain(value),
            None => Ok(None),
        },
        Row::Json(value) => plain(value),
    }
}

fn width_of(row: &Row<'_>) -> usize {
    match row {
        Row::Csv(fields) => fields.len(),
        Row::Json(Value::Array(values)) => values.len(),
        Row::Json(_) => 1,
    }
}

fn plain(value: &Value) -> Result<Option<String>, PairError> {
    Ok(text_of(value).map_err(PairError::GroundTruth)?.map(Cow::into_owned))
}

/// All values of a payload with one row.
fn fields(payload: &Payload<'_>) -> Result<Vec<Option<String>>, PairError> {
    let mut found = Vec::new();
    for row in payload.read()? {
        match row {
            Row::Csv(fields) => found.extend(fields.iter().map(|field| present(field))),
            Row::Json(Value::Array(values)) => {
                for value in &values {
                    found.push(plain(value)?);
                }
            }
            Row::Json(value) => found.push(plain(&value)?),
        }
    }
    Ok(found)
}

/// The first value of a payload; `None` if there is none or the payload can't be read.
pub(crate) fn first_value(payload: &Payload<'_>) -> Option<String> {
    let text = payload.text().ok()?;
    let row = rows(payload.format().ok()?, &text).next()?.ok()?;
    first(&row).ok()?
}

#[cfg(test)]
mod tests;
