//! The check of a request against a shape, including everything nested in it.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::pattern::Patterns;
use super::shape::{Kind, Shape};
use crate::error::ApiError;

/// The check of one request: collects the errors that AWS reports together, and stops at one that AWS can't get past.
pub struct Check<'m> {
    shapes: &'m HashMap<String, Shape>,
    patterns: &'m Patterns,
    failures: Vec<String>,
}

impl<'m> Check<'m> {
    pub fn new(shapes: &'m HashMap<String, Shape>, patterns: &'m Patterns) -> Self {
        Self {
            shapes,
            patterns,
            failures: Vec::new(),
        }
    }

    pub fn request(mut self, shape: &str, request: &Value) -> Result<(), ApiError> {
        self.value(shape, request, "")?;
        match self.failures.len() {
            0 => Ok(()),
            1 => Err(ApiError::validation(format!(
                "1 validation error detected: {}",
                self.failures[0]
            ))),
            count => Err(ApiError::validation(format!(
                "{count} validation errors detected: {}",
                self.failures.join("; ")
            ))),
        }
    }

    fn value(&mut self, shape_name: &str, value: &Value, path: &str) -> Result<(), ApiError> {
        // A reference to a shape that is missing from the model would be a defect of the model, so there is nothing to
        // check.
        let Some(shape) = self.shapes.get(shape_name) else {
            return Ok(());
        };
        match (shape.kind, value) {
            (Kind::Structure, Value::Object(members)) => self.structure(shape, members, path)?,
            (Kind::List, Value::Array(elements)) => self.list(shape, elements, path)?,
            (Kind::Map, Value::Object(entries)) => self.map(shape, entries, path)?,
            (kind, value) if is_scalar(kind, value) => {}
            (kind, value) => return Err(wrong_type(kind, value, path)),
        }
        for constraint in self.broken(shape, value) {
            let shown = if shape.sensitive {
                String::new()
            } else {
                format!(" '{}'", shown(value))
            };
            self.failures.push(format!(
                "Value{shown} at '{path}' failed to satisfy constraint: {constraint}"
            ));
        }
        Ok(())
    }

    fn structure(&mut self, shape: &Shape, members: &Map<String, Value>, path: &str) -> Result<(), ApiError> {
        for required in &shape.required {
            if members.get(required).is_none_or(Value::is_null) {
                let path = joined(path, required);
                self.failures.push(format!(
                    "Value null at '{path}' failed to satisfy constraint: Member must not be null"
                ));
            }
        }
        let mut given = 0;
        for (name, value) in members {
            let Some(member) = shape.members.get(name) else {
                return Err(ApiError::serialization(format!(
                    "Unrecognized field \"{name}\" in {}",
                    place(path)
                )));
            };
            // As on AWS, a null counts as a member that was not given.
            if !value.is_null() {
                given += 1;
                self.value(&member.shape, value, &joined(path, name))?;
            }
        }
        if shape.union && given != 1 {
            return Err(ApiError::serialization(format!(
                "exactly one member of the union {} must be set",
                place(path)
            )));
        }
        Ok(())
    }

    fn list(&mut self, shape: &Shape, elements: &[Value], path: &str) -> Result<(), ApiError> {
        let Some(member) = &shape.member else { return Ok(()) };
        for (index, element) in elements.iter().enumerate() {
            self.value(&member.shape, element, &format!("{path}.{}.member", index + 1))?;
        }
        Ok(())
    }

    fn map(&mut self, shape: &Shape, entries: &Map<String, Value>, path: &str) -> Result<(), ApiError> {
        for (key, value) in entries {
            if let Some(key_shape) = shape.key.as_ref().and_then(|key| self.shapes.get(&key.shape)) {
                for constraint in self.broken(key_shape, &Value::from(key.as_str())) {
                    self.failures.push(format!(
                        "Value '{key}' at '{path}' failed to satisfy constraint: Map keys must satisfy constraint: \
                         [{constraint}]"
                    ));
                }
            }
            if let Some(value_shape) = &shape.value {
                self.value(&value_shape.shape, value, &format!("{path}.{key}.member"))?;
            }
        }
        Ok(())
    }

    /// The constraints of the shape itself that a value of the right type violates.
    fn broken(&self, shape: &Shape, value: &Value) -> Vec<String> {
        let mut broken = Vec::new();
        let (size, what) = match value {
            Value::Number(number) => (number.as_f64(), "value"),
            Value::String(text) if shape.kind == Kind::Blob => (decoded_bytes(text), "length"),
            Value::String(text) => (Some(count(text.chars().count())), "length"),
            Value::Array(elements) => (Some(count(elements.len())), "length"),
            Value::Object(entries) if shape.kind == Kind::Map => (Some(count(entries.len())), "length"),
            _ => (None, ""),
        };
        if shape.kind != Kind::Timestamp
            && let Some(size) = size
        {
            if let Some(max) = shape.max.filter(|max| size > *max) {
                broken.push(format!("Member must have {what} less than or equal to {max}"));
            }
            if let Some(min) = shape.min.filter(|min| size < *min) {
                broken.push(format!("Member must have {what} greater than or equal to {min}"));
            }
        }
        if let Value::String(text) = value {
            if let Some(pattern) = shape
                .pattern
                .as_ref()
                .filter(|pattern| !self.patterns.matches(pattern, text))
            {
                broken.push(format!("Member must satisfy regular expression pattern: {pattern}"));
            }
            if !shape.values.is_empty() && !shape.values.contains(text) {
                broken.push(format!(
                    "Member must satisfy enum value set: [{}]",
                    shape.values.join(", ")
                ));
            }
        }
        broken
    }
}

fn is_scalar(kind: Kind, value: &Value) -> bool {
    match kind {
        Kind::String | Kind::Character => value.is_string(),
        Kind::Integer => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        Kind::Long => value.as_i64().is_some(),
        Kind::Float | Kind::Double => {
            value.is_number() || matches!(value.as_str(), Some("NaN" | "Infinity" | "-Infinity"))
        }
        Kind::Boolean => value.is_boolean(),
        Kind::Timestamp => {
            value.is_number()
                || value
                    .as_str()
                    .is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok())
        }
        Kind::Blob => value.as_str().is_some_and(|text| decoded_bytes(text).is_some()),
        Kind::Structure | Kind::List | Kind::Map => false,
    }
}

fn wrong_type(kind: Kind, value: &Value, path: &str) -> ApiError {
    let expected = match kind {
        Kind::Structure => "a structure",
        Kind::List => "a list",
        Kind::Map => "a map",
        Kind::String | Kind::Character => "a String",
        Kind::Integer => "an Integer",
        Kind::Long => "a Long",
        Kind::Float | Kind::Double => "a Double",
        Kind::Boolean => "a Boolean",
        Kind::Timestamp => "a Timestamp",
        Kind::Blob => "a Blob",
    };
    let found = match value {
        Value::Null => "NULL_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(number) if number.is_f64() => "DECIMAL_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    };
    ApiError::serialization(format!("{found} can not be converted to {expected} at {}", place(path)))
}

fn place(path: &str) -> String {
    if path.is_empty() {
        "the request".to_owned()
    } else {
        format!("'{path}'")
    }
}

/// Number of bytes that a base64 text decodes to; `None` if it is not base64.
fn decoded_bytes(text: &str) -> Option<f64> {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    let valid = text.len().is_multiple_of(4)
        && padding <= 2
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/');
    valid.then(|| count(text.len() / 4 * 3 - padding))
}

/// The path `parent.member`, with the first letter in lower case as AWS writes it.
fn joined(path: &str, member: &str) -> String {
    let mut chars = member.chars();
    let lower = chars
        .next()
        .map(|first| first.to_ascii_lowercase().to_string() + chars.as_str())
        .unwrap_or_default();
    if path.is_empty() {
        lower
    } else {
        format!("{path}.{lower}")
    }
}

/// A value as it appears in AWS's messages.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(elements) => {
            format!("[{}]", elements.iter().map(shown).collect::<Vec<_>>().join(", "))
        }
        Value::Object(entries) => {
            let entries: Vec<_> = entries
                .iter()
                .map(|(key, value)| format!("{key}={}", shown(value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

// The lengths of values that fit into memory are exact in a double.
#[allow(clippy::cast_precision_loss)]
fn count(length: usize) -> f64 {
    length as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::model::Service;
    use super::*;

    const MODEL: &str = r#"{
        "metadata": {"targetPrefix": "Test"},
        "operations": {"Make": {"input": {"shape": "Request"}}, "Ask": {}},
        "shapes": {
            "Request": {"type": "structure", "required": ["Name"], "members": {
                "Name": {"shape": "Name"}, "Count": {"shape": "Count"}, "Long": {"shape": "Long"},
                "Ratio": {"shape": "Ratio"}, "On": {"shape": "On"}, "When": {"shape": "When"},
                "Body": {"shape": "Body"}, "Mode": {"shape": "Mode"}, "Parts": {"shape": "Parts"},
                "Words": {"shape": "Words"}, "Either": {"shape": "Either"}, "Secret": {"shape": "Secret"}}},
            "Name": {"type": "string", "min": 1, "max": 5, "pattern": "[a-z]+"},
            "Count": {"type": "integer", "min": 1, "max": 20},
            "Long": {"type": "long"}, "Ratio": {"type": "float", "min": 0}, "On": {"type": "boolean"},
            "When": {"type": "timestamp"}, "Body": {"type": "blob", "max": 3},
            "Mode": {"type": "string", "enum": ["A", "B"]},
            "Parts": {"type": "list", "member": {"shape": "Part"}, "min": 1, "max": 2},
            "Part": {"type": "structure", "required": ["Name"], "members": {"Name": {"shape": "Name"}}},
            "Words": {"type": "map", "key": {"shape": "Name"}, "value": {"shape": "Name"}, "max": 2},
            "Either": {"type": "structure", "union": true, "members": {"A": {"shape": "On"}, "B": {"shape": "On"}}},
            "Secret": {"type": "string", "max": 2, "sensitive": true}
        }
    }"#;

    fn validated(request: &Value) -> Result<(), String> {
        Service::parse(MODEL.as_bytes())
            .unwrap()
            .validate("Make", request)
            .map_err(|error| error.to_string())
    }

    /// The error for a request that has this member in addition.
    fn broken(member: &str, value: &Value) -> String {
        let error = validated(&json!({"Name": "abc", member: value})).unwrap_err();
        error
            .strip_prefix("ValidationException: 1 validation error detected: ")
            .unwrap()
            .to_owned()
    }

    fn unreadable(member: &str, value: &Value) -> String {
        let error = validated(&json!({"Name": "abc", member: value})).unwrap_err();
        error.strip_prefix("SerializationException: ").unwrap().to_owned()
    }

    #[test]
    fn a_valid_request_passes() {
        let request = json!({
            "Name": "abc", "Count": 20, "Long": 5_000_000_000_i64, "Ratio": 0, "On": true, "When": 1.5, "Body": "AAAA",
            "Mode": "A", "Parts": [{"Name": "x"}], "Words": {"a": "b"}, "Either": {"A": true, "B": null}, "Secret": null,
        });
        assert_eq!(validated(&request), Ok(()));
        assert_eq!(
            validated(&json!({"Name": "abc", "When": "2026-01-01T00:00:00Z", "Ratio": "NaN"})),
            Ok(())
        );
    }

    #[test]
    fn constraints_are_told_in_awss_words() {
        let told = "failed to satisfy constraint: Member must";
        assert_eq!(
            broken("Count", &json!(21)),
            format!("Value '21' at 'count' {told} have value less than or equal to 20")
        );
        assert_eq!(
            broken("Count", &json!(0)),
            format!("Value '0' at 'count' {told} have value greater than or equal to 1")
        );
        assert_eq!(
            broken("Ratio", &json!(-0.5)),
            format!("Value '-0.5' at 'ratio' {told} have value greater than or equal to 0")
        );
        assert_eq!(
            broken("Mode", &json!("C")),
            format!("Value 'C' at 'mode' {told} satisfy enum value set: [A, B]")
        );
        assert_eq!(
            broken("Parts", &json!([])),
            format!("Value '[]' at 'parts' {told} have length greater than or equal to 1")
        );
        assert_eq!(
            broken("Parts", &json!([{}])),
            format!("Value null at 'parts.1.member.name' {told} not be null")
        );
        assert_eq!(
            broken("Parts", &json!([{"Name": "x"}, {"Name": "X"}])),
            format!("Value 'X' at 'parts.2.member.name' {told} satisfy regular expression pattern: [a-z]+")
        );
        assert_eq!(
            broken("Words", &json!({"a": "toolong"})),
            format!("Value 'toolong' at 'words.a.member' {told} have length less than or equal to 5")
        );
        assert!(
            broken("Words", &json!({"A": "b"})).contains("Map keys must satisfy constraint: [Member must satisfy reg")
        );
        assert!(
            broken("Body", &json!("AAAAAA==")).contains("'body' failed to satisfy constraint: Member must have length")
        );
        assert_eq!(
            broken("Secret", &json!("abc")),
            format!("Value at 'secret' {told} have length less than or equal to 2")
        );
    }

    #[test]
    fn all_broken_constraints_are_told_together() {
        let error = validated(&json!({"Count": 0, "Mode": "C"})).unwrap_err();
        assert!(
            error.starts_with("ValidationException: 3 validation errors detected: Value null at 'name'"),
            "{error}"
        );
        assert_eq!(error.matches("; Value").count(), 2);
    }

    #[test]
    fn unknown_members_and_wrong_types_name_their_place() {
        assert_eq!(
            unreadable("Colour", &json!(1)),
            "Unrecognized field \"Colour\" in the request"
        );
        assert_eq!(
            unreadable("Parts", &json!([{"Nme": 1}])),
            "Unrecognized field \"Nme\" in 'parts.1.member'"
        );
        assert_eq!(
            unreadable("Count", &json!("1")),
            "STRING_VALUE can not be converted to an Integer at 'count'"
        );
        assert_eq!(
            unreadable("Count", &json!(1.5)),
            "DECIMAL_VALUE can not be converted to an Integer at 'count'"
        );
        assert_eq!(
            unreadable("Count", &json!(3_000_000_000_i64)),
            "NUMBER_VALUE can not be converted to an Integer at 'count'"
        );
        assert_eq!(
            unreadable("On", &json!("true")),
            "STRING_VALUE can not be converted to a Boolean at 'on'"
        );
        assert_eq!(
            unreadable("Parts", &json!({})),
            "START_OBJECT can not be converted to a list at 'parts'"
        );
        assert_eq!(
            unreadable("Words", &json!({"a": null})),
            "NULL_VALUE can not be converted to a String at 'words.a.member'"
        );
        assert_eq!(
            unreadable("Body", &json!("not base64")),
            "STRING_VALUE can not be converted to a Blob at 'body'"
        );
        assert_eq!(
            unreadable("Either", &json!({})),
            "exactly one member of the union 'either' must be set"
        );
        assert_eq!(
            validated(&json!([])).unwrap_err(),
            "SerializationException: START_ARRAY can not be converted to a structure at the request"
        );
    }

    #[test]
    fn operations_without_input_take_anything_and_unknown_ones_nothing() {
        let service = Service::parse(MODEL.as_bytes()).unwrap();
        assert_eq!(service.validate("Ask", &json!({})), Ok(()));
        assert_eq!(
            service.validate("Sing", &json!({})).unwrap_err().code,
            "UnknownOperationException"
        );
    }

    /// Any JSON value, with the model's member names among its keys.
    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[a-zA-Z]{0,7}".prop_map(Value::from),
        ];
        let key = prop_oneof![
            "Name",
            "Count",
            "Parts",
            "Words",
            "Mode",
            "Either",
            "A",
            "[A-Za-z]{1,4}"
        ];
        leaf.prop_recursive(4, 32, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(key.clone(), inner, 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_request_is_accepted_or_refused_in_words(request in any_json()) {
            if let Err(error) = validated(&request) {
                prop_assert!(error.starts_with("ValidationException: ") || error.starts_with("SerializationException: "));
            } else {
                // A request that passes has the required members, with the required types.
                let name = request["Name"].as_str().unwrap();
                prop_assert!((1..=5).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_lowercase()));
                prop_assert!(request["Count"].is_null() || (1..=20).contains(&request["Count"].as_i64().unwrap()));
            }
        }

        #[test]
        fn lengths_count_characters(text in "[a-zé]{0,8}") {
            let valid = (1..=5).contains(&text.chars().count()) && text.is_ascii();
            prop_assert_eq!(validated(&json!({"Name": text})).is_ok(), valid);
        }
    }
}
