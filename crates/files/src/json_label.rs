//! A line of ground truth in the JSON format of SageMaker Model Monitor.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;

/// The label in a line of JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonLabel {
    /// The id of the predicted row.
    pub id: String,
    /// The label, decoded.
    pub text: String,
}

impl JsonLabel {
    /// Reads `{"groundTruthData": {"data": "…", "encoding": "CSV"}, "eventMetadata": {"eventId": "…"}}`; `None` for any
    /// other line, and for data that doesn't match its encoding.
    pub fn read(line: &[u8]) -> Option<Self> {
        let line: Line = serde_json::from_slice(line).ok()?;
        let data = line.data.data;
        let text = match line.data.encoding {
            Encoding::Csv | Encoding::Json => data,
            Encoding::Base64 => String::from_utf8(BASE64_STANDARD.decode(data.trim()).ok()?).ok()?,
        };
        Some(Self {
            id: line.event.id,
            text,
        })
    }
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "groundTruthData")]
    data: Data,
    #[serde(rename = "eventMetadata")]
    event: Event,
}

#[derive(Deserialize)]
struct Data {
    data: String,
    #[serde(default)]
    encoding: Encoding,
}

/// How the data is encoded. A label with any other encoding can't be read.
#[derive(Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Encoding {
    #[default]
    Csv,
    Json,
    Base64,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "eventId")]
    id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_read_as_it_is_declared() {
        for (data, text) in [
            (r#"{"data": "7", "encoding": "CSV"}"#, Some("7")),
            (r#"{"data": "7"}"#, Some("7")),
            (r#"{"data": "7", "encoding": "JSON"}"#, Some("7")),
            (r#"{"data": "Ny41Cg==", "encoding": "BASE64"}"#, Some("7.5\n")),
            // A number in plain text is not BASE64, even though its characters are.
            (r#"{"data": "300000", "encoding": "BASE64"}"#, None),
            (r#"{"data": "7", "encoding": "ROT13"}"#, None),
            (r#"{"data": 7, "encoding": "CSV"}"#, None),
            (r#"{"encoding": "CSV"}"#, None),
        ] {
            let line = format!(r#"{{"groundTruthData": {data}, "eventMetadata": {{"eventId": "a#0"}}}}"#);
            let read = JsonLabel::read(line.as_bytes());
            assert_eq!(read.as_ref().map(|it| it.text.as_str()), text, "{line}");
            assert!(read.is_none_or(|it| it.id == "a#0"));
        }
        assert_eq!(JsonLabel::read(b"{}"), None);
    }
}
