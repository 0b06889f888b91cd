//! What a caller gets: predictions, or an error that reveals nothing internal.

use crate::check::{MAX_MISTAKES, Mistake, Warning};
use crate::models::Answers;
use crate::request;
use serde::Serialize;
use std::collections::BTreeMap;

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Response {
    /// The caller's id, or a generated one.
    pub inference_id: String,
    /// One per instance, in the request's order.
    pub predictions: Vec<Prediction>,
    /// Whether any model is missing from the values.
    pub degraded: bool,
    /// How many warnings the answer had no room for.
    #[serde(skip_serializing_if = "is_none")]
    pub warnings_left_out: usize,
}

/// The prediction for one instance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    /// `<inference_id>#<row>`: the id by which ground truth refers to the row.
    pub id: String,
    /// The combined value, in the target's unit.
    pub value: f64,
    /// The value of each model, by its name.
    pub models: BTreeMap<String, ModelValue>,
    /// What people should know about the instance.
    pub warnings: Vec<Warning>,
}

/// The value of one model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelValue {
    /// The value, in the target's unit.
    pub value: f64,
    /// The champion's run; while an endpoint is being updated, the run that trained the model that answered.
    pub version: String,
}

/// Assembles the answer.
pub fn response(
    inference_id: String,
    combined: &[f64],
    answers: &Answers,
    (warnings, warnings_left_out): (Vec<Vec<Warning>>, usize),
    degraded: bool,
) -> Response {
    let predictions = combined
        .iter()
        .zip(warnings)
        .enumerate()
        .map(|(row, (value, warnings))| Prediction {
            id: format!("{inference_id}#{row}"),
            value: *value,
            models: answers
                .values
                .iter()
                .filter_map(|(model, values)| {
                    let version = answers.versions.get(model)?.to_string();
                    Some((
                        model.clone(),
                        ModelValue {
                            value: *values.get(row)?,
                            version,
                        },
                    ))
                })
                .collect(),
            warnings,
        });
    Response {
        predictions: predictions.collect(),
        inference_id,
        degraded,
        warnings_left_out,
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks it so")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

/// Why a request is not answered with predictions. The texts are meant for callers; details are in the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The request can't be read. HTTP status 400, 413 or 415.
    #[error(transparent)]
    Request(#[from] request::Error),
    /// There is no such use case. HTTP status 404.
    #[error("there is no use case `{0}`")]
    UseCaseUnknown(String),
    /// The instances are too large for a model. HTTP status 413.
    #[error("the instances are more than a model takes at once: send fewer")]
    PayloadTooLarge,
    /// Values are not as the schema demands. HTTP status 422.
    #[error("{} not as the use case's schema says: see `fields`", count(.0.len()))]
    InstancesInvalid(Vec<Mistake>),
    /// A required model has no champion. HTTP status 503.
    #[error("a model that is needed for the answer has not been exported yet")]
    NoChampionYet,
    /// A required model failed. HTTP status 502.
    #[error("a model that is needed for the answer failed: try again")]
    ModelFailed,
    /// A required model did not answer in time. HTTP status 504.
    #[error("a model that is needed for the answer did not answer in time: try again")]
    ModelLate,
    /// The combining function failed. HTTP status 502.
    #[error("the function that combines the models' values failed: try again")]
    CombineFailed,
    /// The combining function did not answer in time. HTTP status 504.
    #[error("the function that combines the models' values did not answer in time: try again")]
    CombineLate,
    /// Any other failure. HTTP status 500.
    #[error("something went wrong here: try again, and give the request's id when you ask for help")]
    Internal,
}

impl Error {
    /// The HTTP status and the stable `type`.
    pub fn kind(&self) -> (u16, &'static str) {
        match self {
            Self::Request(request::Error::Malformed(_)) => (400, "RequestMalformed"),
            Self::Request(request::Error::TooLarge(_)) | Self::PayloadTooLarge => (413, "RequestTooLarge"),
            Self::Request(request::Error::ContentType(_)) => (415, "ContentTypeUnsupported"),
            Self::UseCaseUnknown(_) => (404, "UseCaseUnknown"),
            Self::InstancesInvalid(_) => (422, "InstancesInvalid"),
            Self::NoChampionYet => (503, "NoChampionYet"),
            Self::ModelFailed => (502, "ModelFailed"),
            Self::ModelLate => (504, "ModelLate"),
            Self::CombineFailed => (502, "CombineFailed"),
            Self::CombineLate => (504, "CombineLate"),
            Self::Internal => (500, "InternalError"),
        }
    }

    /// The body: `{"error": {"type", "message", "request_id", "fields"?}}`.
    pub fn body(&self, request_id: &str) -> serde_json::Value {
        let (_, kind) = self.kind();
        let mut error = serde_json::json!({"type": kind, "message": self.to_string(), "request_id": request_id});
        if let Self::InstancesInvalid(fields) = self {
            error["fields"] = serde_json::json!(fields);
        }
        serde_json::json!({ "error": error })
    }
}

fn count(mistakes: usize) -> String {
    match mistakes {
        1 => "a value is".to_owned(),
        // The check stops at this number.
        MAX_MISTAKES.. => format!("{mistakes} or more values are"),
        _ => format!("{mistakes} values are"),
    }
}
