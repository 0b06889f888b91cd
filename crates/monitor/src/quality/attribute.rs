//! The location of a value in a record: a column's name, its index, or a JSONPath.
//!
//! Of JSONPath, only names, indices and `[*]` are supported: `$.predictions[0].score`, `predictions[*].score`, `[0]`.
//! Filters, slices and recursion are not.

use std::borrow::Cow;

use serde_json::Value;

/// The location of a value in a record. The same text is used for CSV and JSON, and is interpreted when a record is
/// read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Name of the parameter that it was given as, for errors: `inference_attribute`.
    key: &'static str,
    text: String,
    /// Index of a column.
    index: Option<usize>,
    /// `None` if the text can only be the name of a column.
    path: Option<Vec<Step>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
    All,
}

/// Why a value can't be found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttributeError {
    /// The parameter is empty.
    #[error("{key} is empty: name a column, an index or a JSONPath")]
    Empty {
        /// The parameter.
        key: &'static str,
    },
    /// The parameter is invalid.
    #[error("{key} {text:?} is not {expected}")]
    Malformed {
        /// The parameter.
        key: &'static str,
        /// Text of the parameter.
        text: String,
        /// Description of a valid text, for people.
        expected: &'static str,
    },
    /// The problem type requires the parameter.
    #[error("{problem} needs {keys}")]
    Required {
        /// The problem type.
        problem: &'static str,
        /// The parameters, for people.
        keys: &'static str,
    },
    /// The table has no such column.
    #[error("{key} {text:?} is none of the {columns} columns")]
    NoColumn {
        /// The parameter.
        key: &'static str,
        /// Text of the parameter.
        text: String,
        /// Number of columns.
        columns: usize,
    },
    /// The JSON record has no such member.
    #[error("{key} {text:?} is not in the JSON record")]
    NoMember {
        /// The parameter.
        key: &'static str,
        /// Text of the parameter.
        text: String,
    },
    /// The member is not a single value.
    #[error("{key} {text:?} is {kind} in the JSON record, not one value")]
    NotOneValue {
        /// The parameter.
        key: &'static str,
        /// Text of the parameter.
        text: String,
        /// What the member is: `an object`.
        kind: &'static str,
    },
}

impl Attribute {
    /// Parses a parameter; `key` is its name.
    ///
    /// # Errors
    ///
    /// The text is empty, or begins like a JSONPath but isn't a valid one.
    pub fn parse(key: &'static str, text: &str) -> Result<Self, AttributeError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(AttributeError::Empty { key });
        }
        let path = path(text);
        if path.is_none() && (text.starts_with("$.") || text.starts_with("$[")) {
            return Err(AttributeError::Malformed {
                key,
                text: text.to_owned(),
                expected: "a JSONPath of names, indices and [*]",
            });
        }
        // Columns without a header are also called `_c0`, `_c1`, …
        let digits = text.strip_prefix("_c").unwrap_or(text);
        let index = if digits.bytes().all(|byte| byte.is_ascii_digit()) {
            digits.parse().ok()
        } else {
            None
        };
        Ok(Self {
            key,
            text: text.to_owned(),
            index,
            path,
        })
    }

    /// Name of the parameter that it was given as.
    pub fn key(&self) -> &'static str {
        self.key
    }

    /// Text of the parameter.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Position of the column in a table of `columns` columns: the column with that name, otherwise with that index.
    ///
    /// # Errors
    ///
    /// The table has neither.
    pub fn column<S: AsRef<str>>(&self, header: Option<&[S]>, columns: usize) -> Result<usize, AttributeError> {
        header
            .and_then(|names| names.iter().position(|name| name.as_ref().trim() == self.text))
            .or(self.index)
            .filter(|index| *index < columns)
            .ok_or_else(|| AttributeError::NoColumn {
                key: self.key,
                text: self.text.clone(),
                columns,
            })
    }

    /// The field of a CSV record. To read many records of one table, call [`Attribute::column`] once.
    ///
    /// # Errors
    ///
    /// There is no such column.
    pub fn select<'r, S: AsRef<str>, F: AsRef<str>>(
        &self,
        header: Option<&[S]>,
        record: &'r [F],
    ) -> Result<&'r str, AttributeError> {
        self.column(header, record.len()).map(|index| record[index].as_ref())
    }

    /// The values in a JSON record: one, or as many as `[*]` finds. `None` for null.
    ///
    /// # Errors
    ///
    /// There is no such member, or it is an object or a list of several values.
    pub fn select_json<'v>(&self, record: &'v Value) -> Result<Vec<Option<Cow<'v, str>>>, AttributeError> {
        // A member may have a name that looks like a path: the name takes precedence.
        if let Some(value) = record.as_object().and_then(|object| object.get(&self.text)) {
            return Ok(vec![self.text_of(value)?]);
        }
        let missing = || AttributeError::NoMember {
            key: self.key,
            text: self.text.clone(),
        };
        let found = match (self.index, &self.path) {
            (Some(index), _) if record.is_array() => vec![record.get(index).ok_or_else(missing)?],
            // A single value is its own first column.
            (Some(0), _) if !record.is_object() => vec![record],
            (_, Some(path)) => {
                let mut found = Vec::new();
                follow(record, path, &mut found).ok_or_else(missing)?;
                found
            }
            _ => return Err(missing()),
        };
        found.into_iter().map(|value| self.text_of(value)).collect()
    }

    fn text_of<'v>(&self, value: &'v Value) -> Result<Option<Cow<'v, str>>, AttributeError> {
        text_of(value).map_err(|kind| AttributeError::NotOneValue {
            key: self.key,
            text: self.text.clone(),
            kind,
        })
    }
}

/// The text of a single JSON value, `None` for null. A list of one value counts as that value.
///
/// # Errors
///
/// Says what the value is instead.
pub(crate) fn text_of(value: &Value) -> Result<Option<Cow<'_, str>>, &'static str> {
    match value {
        Value::Null => Ok(None),
        Value::Bool(true) => Ok(Some(Cow::Borrowed("true"))),
        Value::Bool(false) => Ok(Some(Cow::Borrowed("false"))),
        Value::Number(number) => Ok(Some(Cow::Owned(number.to_string()))),
        Value::String(text) => Ok(Some(Cow::Borrowed(text))),
        Value::Array(values) => match values.as_slice() {
            [one] => text_of(one),
            _ => Err("a list"),
        },
        Value::Object(_) => Err("an object"),
    }
}

/// Parses `$.a.b[0]`, `a.b`, `[0]`, `a[*]`; `None` for anything else.
fn path(text: &str) -> Option<Vec<Step>> {
    let mut rest = text.strip_prefix('$').unwrap_or(text);
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (inside, after) = inner.split_once(']')?;
            let quoted = |quote| {
                inside
                    .strip_prefix(quote)
                    .and_then(|name: &str| name.strip_suffix(quote))
            };
            steps.push(match (inside, quoted('\'').or(quoted('"'))) {
                ("*", _) => Step::All,
                (_, Some(name)) => Step::Name(name.to_owned()),
                (index, None) => Step::Index(index.parse().ok()?),
            });
            rest = after;
        } else {
            // The first name needs no dot before it.
            let name = match rest.strip_prefix('.') {
                Some(name) => name,
                None if steps.is_empty() && !text.starts_with('$') => rest,
                None => return None,
            };
            let end = name.find(['.', '[']).unwrap_or(name.len());
            if end == 0 {
                return None;
            }
            steps.push(Step::Name(name[..end].to_owned()));
            rest = &name[end..];
        }
    }
    Some(steps)
}

/// Collects the values at the end of the path; `None` if there are none.
fn follow<'v>(value: &'v Value, path: &[Step], found: &mut Vec<&'v Value>) -> Option<()> {
    match path.split_first() {
        None => found.push(value),
        Some((Step::Name(name), rest)) => follow(value.get(name)?, rest, found)?,
        Some((Step::Index(index), rest)) => follow(value.get(index)?, rest, found)?,
        Some((Step::All, rest)) => {
            for value in value.as_array()? {
                follow(value, rest, found)?;
            }
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn attribute(text: &str) -> Attribute {
        Attribute::parse("inference_attribute", text).unwrap()
    }

    fn json_values(text: &str, record: &Value) -> Vec<Option<String>> {
        let values = attribute(text).select_json(record).unwrap();
        values.into_iter().map(|value| value.map(Cow::into_owned)).collect()
    }

    fn none() -> Option<&'static [&'static str]> {
        None
    }

    #[test]
    fn a_column_is_found_by_name_then_by_index() {
        let header = ["label", "0", "a.b"];
        let record = ["x", "y", "z"];
        assert_eq!(attribute("label").select(Some(&header), &record), Ok("x"));
        assert_eq!(attribute("a.b").select(Some(&header), &record), Ok("z"));
        assert_eq!(attribute("0").select(Some(&header), &record), Ok("y"));
        assert_eq!(attribute("0").select(none(), &record), Ok("x"));
        assert_eq!(attribute("_c2").select(none(), &record), Ok("z"));
    }

    #[test]
    fn errors_name_the_attribute() {
        let error = attribute("score").select(none(), &["1"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "inference_attribute \"score\" is none of the 1 columns"
        );
        let error = attribute("3").select(none(), &["1", "2"]).unwrap_err();
        assert_eq!(error.to_string(), "inference_attribute \"3\" is none of the 2 columns");
        let error = attribute("$.a[1]").select_json(&json!({"a": [1]})).unwrap_err();
        assert_eq!(
            error.to_string(),
            "inference_attribute \"$.a[1]\" is not in the JSON record"
        );
        let error = attribute("a").select_json(&json!({"a": {}})).unwrap_err();
        assert_eq!(
            error.to_string(),
            "inference_attribute \"a\" is an object in the JSON record, not one value"
        );
        for text in ["$.", "$[x]", "$.a..b", "$[0", "$.a]b["] {
            assert!(Attribute::parse("k", text).is_err(), "{text}");
        }
        assert_eq!(Attribute::parse("k", " "), Err(AttributeError::Empty { key: "k" }));
    }

    #[test]
    fn paths_lead_through_names_indices_and_lists() {
        let record = json!({"predictions": [{"score": 0.25, "label": "x"}, {"score": null}], "a": {"b": [[true]]}});
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(json_values("$.predictions[0].score", &record), [some("0.25")]);
        assert_eq!(json_values("predictions[0].label", &record), [some("x")]);
        assert_eq!(json_values("predictions[*].score", &record), [some("0.25"), None]);
        assert_eq!(json_values("$['a']['b'][0]", &record), [some("true")]);
        assert_eq!(json_values("a.b", &record), [some("true")]);
        assert_eq!(json_values("x.y", &json!({"x.y": 1, "x": {"y": 2}})), [some("1")]);
        assert_eq!(json_values("1", &json!([5, 6])), [some("6")]);
        assert_eq!(json_values("[1]", &json!([5, 6])), [some("6")]);
        assert_eq!(json_values("0", &json!(0.5)), [some("0.5")]);
        assert_eq!(json_values("$", &json!(7)), [some("7")]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,12}|[$.\\[\\]*a0']{0,12}") {
            if let Ok(attribute) = Attribute::parse("k", &text) {
                let _ = attribute.select_json(&json!({"a": [1, {"a": 0}]}));
                prop_assert_eq!(attribute.text(), text.trim());
            }
        }
    }
}
