//! A line of captured data: the request to an endpoint and its response, with their ids, and the ground truth once that
//! has been merged.
//!
//! This is the only parser of such lines, for data quality and model quality. Texts without escapes are borrowed from
//! the line, and BASE64 is decoded only when its text is needed. The payload is not interpreted here.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::{Deserializer, Visitor};
use serde_json::Value;

use super::csv::{Record, Records};

/// One captured request.
#[derive(Clone, Debug, PartialEq)]
pub struct CaptureRecord<'l> {
    /// `eventMetadata.eventId`.
    pub event_id: Cow<'l, str>,
    /// `eventMetadata.inferenceId`: the name that the caller gave the request.
    pub inference_id: Option<Cow<'l, str>>,
    /// `eventMetadata.inferenceTime`, as written: `2021-05-18T00:21:45Z`.
    pub inference_time: Option<Cow<'l, str>>,
    /// `captureData.endpointInput`; absent if only the output is captured.
    pub input: Option<Payload<'l>>,
    /// `captureData.endpointOutput` or `batchTransformOutput`; absent if only the input is captured, or if the model
    /// failed.
    pub output: Option<Payload<'l>>,
    /// `groundTruthData` of a merged line.
    pub ground_truth: Option<GroundTruth<'l>>,
}

/// The body of a request or response.
#[derive(Clone, Debug, PartialEq)]
pub struct Payload<'l> {
    /// `observedContentType`: `text/csv`.
    pub content_type: Option<Cow<'l, str>>,
    /// Encoding of `data`.
    pub encoding: Encoding,
    /// The data as written in the line; see [`Payload::text`].
    pub data: Cow<'l, str>,
}

/// The true values of one request.
#[derive(Clone, Debug, PartialEq)]
pub struct GroundTruth<'l> {
    /// The values, one for each row.
    pub payload: Payload<'l>,
    /// The project's own member `rows`: the rows of the request (from 0) that the values belong to, if they were given
    /// for individual rows. Without it, they belong to all rows in order.
    pub rows: Option<Vec<u64>>,
}

/// Encoding of a payload in the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Plain text.
    Csv,
    /// Plain text.
    Json,
    /// Bytes in BASE64.
    Base64,
}

/// Format of a payload's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Records of fields, without a header.
    Csv,
    /// One value, or one on each line.
    Json,
}

/// The error in a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaptureError {
    /// The text is not JSON, or a member has the wrong type.
    #[error("not a line of captured data: {0}")]
    Json(String),
    /// A member is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// The line has a newer format version.
    #[error("eventVersion {0:?} is not known, only \"0\" is")]
    Version(String),
    /// The encoding doesn't exist in the contract.
    #[error("encoding {0:?} is not CSV, JSON or BASE64")]
    Encoding(String),
    /// The data doesn't match its encoding.
    #[error("the BASE64 data is not valid: {0}")]
    Base64(String),
    /// The data is bytes that are neither CSV nor JSON.
    #[error("BASE64 data of content type {0:?} has no rows: only CSV and JSON have")]
    ContentType(String),
    /// The payload should be JSON, but isn't.
    #[error("the payload is not JSON: {0}")]
    Payload(String),
}

impl CaptureError {
    /// The kind of error, the same text for all lines with this kind.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Json(_) => "not a line of captured data",
            Self::Missing(_) => "incomplete line of captured data",
            Self::Version(_) => "unknown eventVersion",
            Self::Encoding(_) => "unknown encoding",
            Self::Base64(_) => "invalid BASE64",
            Self::ContentType(_) => "payload without rows",
            Self::Payload(_) => "payload is not JSON",
        }
    }
}

impl<'l> CaptureRecord<'l> {
    /// Reads a line of captured or merged data.
    ///
    /// # Errors
    ///
    /// Says what is missing or invalid.
    pub fn parse(line: &'l [u8]) -> Result<Self, CaptureError> {
        let line: Line = serde_json::from_slice(line).map_err(|error| CaptureError::Json(error.to_string()))?;
        check_version(line.event_version)?;
        let metadata = line.event_metadata.ok_or(CaptureError::Missing("eventMetadata"))?;
        let data = line.capture_data.ok_or(CaptureError::Missing("captureData"))?;
        Ok(Self {
            event_id: metadata
                .event_id
                .ok_or(CaptureError::Missing("eventMetadata.eventId"))?
                .0,
            inference_id: metadata.inference_id.map(|text| text.0),
            inference_time: metadata.inference_time.map(|text| text.0),
            input: data
                .input
                .map(|part| part.payload("captureData.endpointInput.data"))
                .transpose()?,
            output: data
                .output
                .map(|part| part.payload("captureData.endpointOutput.data"))
                .transpose()?,
            ground_truth: line.ground_truth.map(Part::ground_truth).transpose()?,
        })
    }
}

/// A line of ground truth.
#[derive(Clone, Debug, PartialEq)]
pub struct GroundTruthLine<'l> {
    /// The inference id if the line has one, otherwise the event id; callers may use either for their own id.
    pub id: Cow<'l, str>,
    /// The true values.
    pub ground_truth: GroundTruth<'l>,
}

impl<'l> GroundTruthLine<'l> {
    /// Reads a line of ground truth.
    ///
    /// # Errors
    ///
    /// Says what is missing or invalid.
    pub fn parse(line: &'l [u8]) -> Result<Self, CaptureError> {
        let line: Line = serde_json::from_slice(line).map_err(|error| CaptureError::Json(error.to_string()))?;
        check_version(line.event_version)?;
        let metadata = line.event_metadata.ok_or(CaptureError::Missing("eventMetadata"))?;
        let id = metadata.inference_id.or(metadata.event_id);
        Ok(Self {
            id: id.ok_or(CaptureError::Missing("eventMetadata.eventId"))?.0,
            ground_truth: line
                .ground_truth
                .ok_or(CaptureError::Missing("groundTruthData"))?
                .ground_truth()?,
        })
    }
}

impl Payload<'_> {
    /// The text, decoded if it is BASE64.
    ///
    /// # Errors
    ///
    /// The data is not text in BASE64.
    pub fn text(&self) -> Result<Cow<'_, str>, CaptureError> {
        if self.encoding != Encoding::Base64 {
            return Ok(Cow::Borrowed(&self.data));
        }
        let bytes = STANDARD
            .decode(self.data.trim())
            .map_err(|error| CaptureError::Base64(error.to_string()))?;
        let text = String::from_utf8(bytes).map_err(|error| CaptureError::Base64(error.to_string()))?;
        Ok(Cow::Owned(text))
    }

    /// The format of the text; for BASE64 it is given by the content type.
    ///
    /// # Errors
    ///
    /// The content is neither CSV nor JSON.
    pub fn format(&self) -> Result<Format, CaptureError> {
        match self.encoding {
            Encoding::Csv => return Ok(Format::Csv),
            Encoding::Json => return Ok(Format::Json),
            Encoding::Base64 => {}
        }
        let content_type = self.content_type.as_deref().unwrap_or_default();
        let kind = content_type
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        match kind.as_str() {
            "text/csv" | "text/plain" => Ok(Format::Csv),
            kind if kind.starts_with("application/json") || kind.ends_with("+json") => Ok(Format::Json),
            "application/jsonlines" | "application/x-ndjson" => Ok(Format::Json),
            _ => Err(CaptureError::ContentType(content_type.to_owned())),
        }
    }

    /// All rows at once; [`rows`] iterates over them without keeping them.
    ///
    /// # Errors
    ///
    /// The data doesn't match its encoding.
    pub fn read(&self) -> Result<Vec<Row<'static>>, CaptureError> {
        let text = self.text()?;
        rows(self.format()?, &text)
            .map(|row| row.map(Row::into_owned))
            .collect()
    }
}

/// One row of a payload.
#[derive(Clone, Debug, PartialEq)]
pub enum Row<'t> {
    /// The fields of a CSV row.
    Csv(Record<'t>),
    /// A JSON value.
    Json(Value),
}

impl Row<'_> {
    fn into_owned(self) -> Row<'static> {
        match self {
            Self::Csv(fields) => Row::Csv(fields.into_iter().map(|field| Cow::Owned(field.into_owned())).collect()),
            Self::Json(value) => Row::Json(value),
        }
    }
}

/// The rows of a payload's text. For JSON, each value of the text is a row, and so is each element of a list of lists
/// or objects. A list of plain values is a single row.
pub fn rows(format: Format, text: &str) -> impl Iterator<Item = Result<Row<'_>, CaptureError>> {
    let csv = (format == Format::Csv).then(|| Records::new(text).map(|record| Ok(Row::Csv(record))));
    let json = (format == Format::Json).then(|| {
        let values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
        values.flat_map(|value| match value {
            Ok(Value::Array(values)) if values.iter().any(|value| value.is_array() || value.is_object()) => {
                values.into_iter().map(|value| Ok(Row::Json(value))).collect()
            }
            Ok(value) => vec![Ok(Row::Json(value))],
            Err(error) => vec![Err(CaptureError::Payload(error.to_string()))],
        })
    });
    csv.into_iter().flatten().chain(json.into_iter().flatten())
}

fn check_version(version: Option<Text<'_>>) -> Result<(), CaptureError> {
    match version {
        Some(Text(version)) if version != "0" => Err(CaptureError::Version(version.into_owned())),
        _ => Ok(()),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line<'l> {
    #[serde(borrow)]
    capture_data: Option<Data<'l>>,
    #[serde(borrow)]
    event_metadata: Option<Metadata<'l>>,
    #[serde(borrow)]
    event_version: Option<Text<'l>>,
    #[serde(borrow, rename = "groundTruthData")]
    ground_truth: Option<Part<'l>>,
}

#[derive(Deserialize)]
struct Data<'l> {
    #[serde(borrow, rename = "endpointInput", alias = "batchTransformInput")]
    input: Option<Part<'l>>,
    #[serde(borrow, rename = "endpointOutput", alias = "batchTransformOutput")]
    output: Option<Part<'l>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata<'l> {
    #[serde(borrow)]
    event_id: Option<Text<'l>>,
    #[serde(borrow)]
    inference_id: Option<Text<'l>>,
    #[serde(borrow)]
    inference_time: Option<Text<'l>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part<'l> {
    #[serde(borrow)]
    observed_content_type: Option<Text<'l>>,
    #[serde(borrow)]
    data: Option<Text<'l>>,
    #[serde(borrow)]
    encoding: Option<Text<'l>>,
    rows: Option<Vec<u64>>,
}

impl<'l> Part<'l> {
    /// `name` is the name of the data in errors. Without an encoding it is CSV.
    fn payload(self, name: &'static str) -> Result<Payload<'l>, CaptureError> {
        let encoding = match self.encoding {
            None => Encoding::Csv,
            Some(Text(text)) => [
                ("CSV", Encoding::Csv),
                ("JSON", Encoding::Json),
                ("BASE64", Encoding::Base64),
            ]
            .into_iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(&text))
            .map(|(_, encoding)| encoding)
            .ok_or_else(|| CaptureError::Encoding(text.into_owned()))?,
        };
        Ok(Payload {
            content_type: self.observed_content_type.map(|text| text.0),
            encoding,
            data: self.data.ok_or(CaptureError::Missing(name))?.0,
        })
    }

    fn ground_truth(mut self) -> Result<GroundTruth<'l>, CaptureError> {
        let rows = self.rows.take();
        Ok(GroundTruth {
            payload: self.payload("groundTruthData.data")?,
            rows,
        })
    }
}

/// A text that is borrowed if it has no escapes. A number or boolean is read as its text, because people write
/// `"data": 1`.
struct Text<'l>(Cow<'l, str>);

impl<'de: 'l, 'l> Deserialize<'de> for Text<'l> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor).map(Text)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(if value { "true" } else { "false" }))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Cow::Owned(value.to_string()))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Cow::Owned(value.to_string()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Self::Value, E> {
        let number = serde_json::Number::from_f64(value).ok_or_else(|| E::custom("not a finite number"))?;
        Ok(Cow::Owned(number.to_string()))
    }
}

#[cfg(test)]
mod tests;
