//! What a caller sends: JSON instances, or CSV with a header. Read here, checked against the document in `check`.

use serde::Deserialize;
use serde_json::{Map, Value};

/// The most instances of one request.
pub const MAX_INSTANCES: usize = 500;
/// The largest body, in bytes. What endpoints take is 6 MB, and a row grows by its row's missing columns.
pub const MAX_BODY_BYTES: usize = 5 << 20;
/// SageMaker takes 64 characters; `#<row>` is for people alone.
const MAX_INFERENCE_ID: usize = 50;
/// The most characters of a caller's own text that an answer repeats.
const MAX_SHOWN: usize = 200;

/// A request as it was sent.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Names the answers; one is made when it is left out.
    #[serde(default)]
    pub inference_id: Option<String>,
    /// Column to value.
    pub instances: Vec<Map<String, Value>>,
}

/// Why a request can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Neither JSON nor CSV by its content type: 415.
    #[error("content type `{0}` is neither application/json nor text/csv")]
    ContentType(String),
    /// The body is not what its content type says: 400.
    #[error("{0}")]
    Malformed(String),
    /// Too large: 413.
    #[error("{0}")]
    TooLarge(String),
}

/// Reads a body by its content type; a request without one is JSON.
///
/// # Errors
/// [`Error`], with what is wrong with what.
pub fn parse(content_type: Option<&str>, body: &[u8]) -> Result<Request, Error> {
    if body.len() > MAX_BODY_BYTES {
        return Err(Error::TooLarge(format!(
            "the body has {} bytes; at most {MAX_BODY_BYTES} are taken",
            body.len()
        )));
    }
    let kind = content_type
        .unwrap_or("application/json")
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    let request = if kind.eq_ignore_ascii_case("application/json") {
        serde_json::from_slice(body)
            .map_err(|error| Error::Malformed(format!("the body is no request: {}", shown(&error.to_string()))))?
    } else if kind.eq_ignore_ascii_case("text/csv") {
        Request {
            inference_id: None,
            instances: rows(body)?,
        }
    } else {
        return Err(Error::ContentType(shown(kind)));
    };
    match request.instances.len() {
        0 => return Err(Error::Malformed("there are no instances: send at least one".to_owned())),
        count if count > MAX_INSTANCES => {
            let text = format!("there are more than {MAX_INSTANCES} instances: send them in several requests");
            return Err(Error::TooLarge(text));
        }
        _ => {}
    }
    if let Some(id) = &request.inference_id {
        let sound = (1..=MAX_INFERENCE_ID).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
        if !sound {
            let text =
                format!("`inference_id` must be 1 to {MAX_INFERENCE_ID} letters, digits, dots, hyphens or underscores");
            return Err(Error::Malformed(text));
        }
    }
    Ok(request)
}

/// CSV rows as instances: every value is text, and an empty field is missing.
fn rows(body: &[u8]) -> Result<Vec<Map<String, Value>>, Error> {
    let malformed = |error: csv::Error| Error::Malformed(format!("the body is no CSV with a header: {error}"));
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut reader = csv::ReaderBuilder::new().from_reader(body);
    let header: Vec<String> = reader
        .headers()
        .map_err(malformed)?
        .iter()
        .map(|name| name.trim().to_owned())
        .collect();
    if let Some(twice) = header
        .iter()
        .enumerate()
        .find(|(at, name)| header[..*at].contains(name))
    {
        return Err(Error::Malformed(format!("the header names `{}` twice", shown(twice.1))));
    }
    let mut instances = Vec::new();
    for record in reader.records() {
        let record = record.map_err(malformed)?;
        let row = header
            .iter()
            .zip(&record)
            .map(|(name, value)| (name.clone(), Value::from(value)))
            .collect();
        instances.push(row);
        // One more is enough to know that there are too many.
        if instances.len() > MAX_INSTANCES {
            break;
        }
    }
    Ok(instances)
}

/// A caller's own text, as far as an answer repeats it.
pub fn shown(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn json_and_csv_say_the_same() {
        let sent = parse(
            Some("application/json"),
            br#"{"instances": [{"model": "c-class", "year": "2015"}]}"#,
        )
        .unwrap();
        let rows = parse(
            Some("text/csv; charset=utf-8"),
            b"\xef\xbb\xbfmodel, year\nc-class,2015\n",
        )
        .unwrap();
        assert_eq!(sent, rows);
        assert_eq!(json!(sent.instances[0]), json!({"model": "c-class", "year": "2015"}));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (content_type, body, expected) in [
            ("application/xml", "<a/>", "content type `application/xml`"),
            ("application/json", "[1,", "the body is no request"),
            ("application/json", r#"{"instances": []}"#, "there are no instances"),
            (
                "application/json",
                r#"{"instances": [{}], "model": "x"}"#,
                "unknown field `model`",
            ),
            (
                "application/json",
                r#"{"instances": [{}], "inference_id": "a b"}"#,
                "`inference_id` must be",
            ),
            ("text/csv", "model,model\na,b\n", "names `model` twice"),
            ("text/csv", "model,year\na\n", "the body is no CSV"),
            ("text/csv", "", "there are no instances"),
            ("text/csv", "model\n", "there are no instances"),
        ] {
            let error = parse(Some(content_type), body.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(expected), "{body}: {error}");
        }
    }

    #[test]
    fn more_than_500_instances_are_too_many() {
        let body = format!("year\n{}", "2015\n".repeat(501));
        assert!(matches!(
            parse(Some("text/csv"), body.as_bytes()),
            Err(Error::TooLarge(_))
        ));
    }

    #[test]
    fn a_callers_text_is_repeated_only_so_far() {
        let body = format!(r#"{{"instances": [], "{}": 1}}"#, "é".repeat(1 << 20));
        let error = parse(None, body.as_bytes()).unwrap_err().to_string();
        assert!(error.len() < 500, "{} bytes", error.len());
    }

    proptest! {
        #[test]
        fn reading_never_panics(body in proptest::collection::vec(any::<u8>(), 0..300), csv: bool) {
            let _ = parse(Some(if csv { "text/csv" } else { "application/json" }), &body);
        }
    }
}
