//! Reads what a caller sends: JSON instances, or CSV with a header. `check` compares it with the document.

mod json;
mod quotes;

use std::borrow::Cow;
use std::collections::HashSet;

/// The most instances in one request.
pub const MAX_INSTANCES: usize = 500;
/// The largest body, in bytes. Endpoints accept 6 MB, and a row grows by its missing columns.
pub const MAX_BODY_BYTES: usize = 5 << 20;
/// SageMaker accepts 64 characters; the suffix `#<row>` is not sent to it.
const MAX_INFERENCE_ID: usize = 50;
/// The most columns in a line of CSV: no use case has that many.
const MAX_CSV_COLUMNS: usize = 10_000;
/// The most characters of a caller's own text that an answer repeats.
const MAX_SHOWN: usize = 200;
/// What to do if instances were sent on their own.
pub(crate) const WRAP: &str = "put the instances into a list named `instances`: {\"instances\": [{…}, …]}";

/// A request as it was sent. It borrows from the body, so that no unusual body takes a multiple of its size.
#[derive(Debug, PartialEq)]
pub struct Request<'a> {
    /// The first part of the ids of predictions; generated when it is left out.
    pub inference_id: Option<Cow<'a, str>>,
    /// At least one, at most [`MAX_INSTANCES`].
    pub instances: Instances<'a>,
}

/// Instances: the fields by column, in the order in which they were sent. A column may occur twice.
#[derive(Debug, PartialEq)]
pub enum Instances<'a> {
    /// Instances sent as JSON.
    Json(Vec<Vec<(Cow<'a, str>, Sent<'a>)>>),
    /// Instances sent as CSV.
    Csv {
        /// The columns, without duplicates.
        header: Vec<String>,
        /// Rows with as many fields as there are columns.
        rows: Vec<csv::StringRecord>,
    },
}

/// A value as it was sent.
#[derive(Clone, Debug, PartialEq)]
pub enum Sent<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A text; all fields of CSV are texts.
    Text(Cow<'a, str>),
    /// A list, which no column accepts: its contents are skipped.
    List,
    /// An object, likewise.
    Object,
}

impl Instances<'_> {
    /// The number of instances.
    pub fn len(&self) -> usize {
        match self {
            Self::Json(instances) => instances.len(),
            Self::Csv { rows, .. } => rows.len(),
        }
    }

    /// The fields of an instance.
    pub fn fields(&self, instance: usize) -> Box<dyn Iterator<Item = (&str, Sent<'_>)> + '_> {
        match self {
            Self::Json(instances) => {
                let fields = instances.get(instance).into_iter().flatten();
                Box::new(fields.map(|(name, value)| (&**name, value.borrowed())))
            }
            Self::Csv { header, rows } => {
                let row = rows.get(instance).into_iter().flat_map(csv::StringRecord::iter);
                let fields = header.iter().map(String::as_str).zip(row);
                Box::new(fields.map(|(name, value)| (name, Sent::Text(Cow::Borrowed(value)))))
            }
        }
    }
}

impl Sent<'_> {
    fn borrowed(&self) -> Sent<'_> {
        match self {
            Self::Text(text) => Sent::Text(Cow::Borrowed(text)),
            Self::Null => Sent::Null,
            Self::Bool(value) => Sent::Bool(*value),
            Self::Number(number) => Sent::Number(*number),
            Self::List => Sent::List,
            Self::Object => Sent::Object,
        }
    }
}

/// Why a request can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The content type is neither JSON nor CSV: 415.
    #[error("content type `{0}` is neither application/json nor text/csv")]
    ContentType(String),
    /// The body is not what its content type says: 400.
    #[error("{0}")]
    Malformed(String),
    /// Too large: 413.
    #[error("{0}")]
    TooLarge(String),
}

/// Reads a body according to its content type; a request without one is JSON.
///
/// # Errors
/// [`Error`], which says what is wrong.
pub fn parse<'a>(content_type: Option<&str>, body: &'a [u8]) -> Result<Request<'a>, Error> {
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
        json(text(body)?)?
    } else if kind.eq_ignore_ascii_case("text/csv") {
        Request {
            inference_id: None,
            instances: rows(text(body)?)?,
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

/// The body as text, without a byte-order mark.
fn text(body: &[u8]) -> Result<&str, Error> {
    let text = std::str::from_utf8(body).map_err(|error| {
        let at = error.valid_up_to();
        Error::Malformed(format!(
            "the body is not text in UTF-8: byte {at} does not belong there; encode it in UTF-8"
        ))
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

fn json(body: &str) -> Result<Request<'_>, Error> {
    if body.trim_ascii_start().starts_with('[') {
        return Err(Error::Malformed(format!("the body is a list alone: {WRAP}")));
    }
    serde_json::from_str(body).map_err(|error| {
        Error::Malformed(format!(
            "the body is not a valid request: {}",
            shown(&error.to_string())
        ))
    })
}

/// CSV rows as instances: every value is text, and an empty field is missing.
fn rows(body: &str) -> Result<Instances<'static>, Error> {
    let malformed = |error: csv::Error| Error::Malformed(format!("the body is not CSV with a header: {error}"));
    // Counted before the reader splits fields: a line of commas alone has millions.
    let commas = |line: &str| line.bytes().filter(|byte| *byte == b',').count();
    if let Some(commas) = body.lines().map(commas).find(|commas| *commas >= MAX_CSV_COLUMNS) {
        let text = format!("a line has {} columns; at most {MAX_CSV_COLUMNS} are read", commas + 1);
        return Err(Error::Malformed(text));
    }
    if let Some(line) = quotes::unclosed(body) {
        let text = format!("the body ends within quotes: line {line} opens some that nothing closes");
        return Err(Error::Malformed(text));
    }
    let mut reader = csv::ReaderBuilder::new().from_reader(body.as_bytes());
    let header = reader.headers().map_err(malformed)?;
    let header: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
    let mut seen = HashSet::new();
    if let Some(twice) = header.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(Error::Malformed(format!("the header names `{}` twice", shown(twice))));
    }
    // One row more than allowed is enough to know that there are too many.
    let rows = reader.records().take(MAX_INSTANCES + 1);
    let rows = rows.collect::<Result<_, _>>().map_err(malformed)?;
    Ok(Instances::Csv { header, rows })
}

/// A caller's own text, shortened to what an answer repeats.
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
        let fields = |request: &Request<'_>| -> Vec<(String, String)> {
            let fields = request.instances.fields(0);
            fields
                .map(|(name, value)| (name.to_owned(), format!("{value:?}")))
                .collect()
        };
        assert_eq!(fields(&sent), fields(&rows));
        assert_eq!(fields(&sent)[1], ("year".to_owned(), "Text(\"2015\")".to_owned()));
    }

    #[test]
    fn json_may_begin_with_a_byte_order_mark() {
        let body = "\u{feff} {\"inference_id\": \"a\", \"instances\": [{}]}";
        let request = parse(None, body.as_bytes()).unwrap();
        assert_eq!(
            (request.inference_id.as_deref(), request.instances.len()),
            (Some("a"), 1)
        );
    }

    /// `check` reports duplicates, since it knows the columns; escapes make no difference to a name.
    #[test]
    fn a_field_that_is_sent_twice_stays_there_twice() {
        let body = br#"{"instances": [{"year": 1, "\u0079ear": [[]], "a": {"b": 1}, "c": null, "d": true}]}"#;
        let request = parse(None, body).unwrap();
        let fields: Vec<_> = request.instances.fields(0).collect();
        assert_eq!(fields[0], ("year", Sent::Number(1.0)));
        assert_eq!(fields[1], ("year", Sent::List));
        assert_eq!(fields[2], ("a", Sent::Object));
        assert_eq!((&fields[3].1, &fields[4].1), (&Sent::Null, &Sent::Bool(true)));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for (content_type, body, expected) in [
            ("application/xml", "<a/>", "content type `application/xml`"),
            (
                "application/json",
                "{\"instances\": [1,",
                "the body is not a valid request",
            ),
            (
                "application/json",
                "[{\"year\": 2015}]",
                "the body is a list alone: put the instances into a list",
            ),
            (
                "application/json",
                "{\"year\": 2015}",
                "unknown field `year`; put the instances into a list",
            ),
            ("application/json", "{}", "there is no `instances`; put the instances"),
            ("application/json", "{\"instances\": {}}", "a list of instances"),
            ("application/json", "{\"instances\": [5]}", "expected an instance"),
            ("application/json", "5", "expected an object with `instances`"),
            ("application/json", "", "the body is not a valid request"),
            (
                "application/json",
                "{\"instances\": [{}], \"instances\": [{}]}",
                "duplicate field `instances`",
            ),
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
            ("text/csv", "model,year\na\n", "the body is not CSV"),
            (
                "text/csv",
                "year,model\n2015,golf\n2015,\"golf\n2016,polo\n2017,polo\n",
                "the body ends within quotes: line 3 opens some that nothing closes",
            ),
            ("text/csv", "\"year\n2015\n", "line 1 opens some"),
            ("text/csv", "", "there are no instances"),
            ("text/csv", "model\n", "there are no instances"),
        ] {
            let error = parse(Some(content_type), body.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(expected), "{body}: {error}");
        }
    }

    #[test]
    fn what_is_not_in_utf_8_is_told_so() {
        for (content_type, body) in [
            (
                "application/json",
                &b"{\"instances\": [{\"model\": \"Citro\xebn\"}]}"[..],
            ),
            ("text/csv", b"model\nCitro\xebn\n"),
            ("text/csv", b"\xff\xfem\0o\0"),
        ] {
            let error = parse(Some(content_type), body).unwrap_err();
            assert!(matches!(error, Error::Malformed(_)));
            assert!(error.to_string().contains("not text in UTF-8: byte "), "{error}");
        }
    }

    #[test]
    fn more_than_500_instances_are_too_many() {
        for (content_type, body) in [
            ("text/csv", format!("year\n{}", "2015\n".repeat(501))),
            (
                "application/json",
                format!("{{\"instances\": [{}{{}}]}}", "{},".repeat(9_999)),
            ),
        ] {
            let read = parse(Some(content_type), body.as_bytes());
            assert!(matches!(read, Err(Error::TooLarge(_))), "{read:?}");
        }
    }

    #[test]
    fn a_line_of_a_million_columns_is_refused_at_once() {
        for head in ["", "a\n"] {
            let body = format!("{head}{}x\n", "a,".repeat(1_000_000));
            let error = parse(Some("text/csv"), body.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("1000001 columns"), "{error}");
        }
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
