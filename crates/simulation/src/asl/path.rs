//! Paths: `$`, `$.a.b`, `$.a[0]`, `$[1].b`, `$.a[*].b`, and `$$.…` for the context. No others are supported.

use super::Failure;
use serde_json::{Map, Value};

/// A step of a path.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Field(String),
    Index(usize),
    Each,
}

/// The value at a path of `data`, or of `context` where it begins with `$$`.
pub fn get(path: &str, data: &Value, context: &Value) -> Result<Value, Failure> {
    find(path, data, context)?.ok_or_else(|| {
        Failure::new(
            "States.Runtime",
            format!("the path `{path}` could not be found in the input {data}"),
        )
    })
}

/// Like [`get`]; `None` if there is nothing at the path.
pub fn find(path: &str, data: &Value, context: &Value) -> Result<Option<Value>, Failure> {
    let (root, rest) = match path.strip_prefix("$$") {
        Some(rest) => (context, rest),
        None => (data, path.strip_prefix('$').ok_or_else(|| unsupported(path))?),
    };
    Ok(walk(root, &steps(path, rest)?))
}

/// Puts `value` at a reference path of `data`, creating objects where the path needs them.
pub fn put(path: &str, mut data: Value, value: Value) -> Result<Value, Failure> {
    let rest = path.strip_prefix('$').ok_or_else(|| unsupported(path))?;
    let mut place = &mut data;
    for step in steps(path, rest)? {
        let Step::Field(name) = step else {
            return Err(unsupported(path));
        };
        if place.is_null() {
            *place = Value::Object(Map::new());
        }
        let Value::Object(fields) = place else {
            let text = format!("ResultPath `{path}` goes through what is no object");
            return Err(Failure::new("States.ResultPathMatchFailure", text));
        };
        place = fields.entry(name).or_insert(Value::Null);
    }
    *place = value;
    Ok(data)
}

fn walk(value: &Value, steps: &[Step]) -> Option<Value> {
    let Some((step, rest)) = steps.split_first() else {
        return Some(value.clone());
    };
    match step {
        Step::Field(name) => walk(value.get(name)?, rest),
        Step::Index(index) => walk(value.get(index)?, rest),
        Step::Each => value.as_array()?.iter().map(|item| walk(item, rest)).collect(),
    }
}

fn steps(path: &str, mut rest: &str) -> Result<Vec<Step>, Failure> {
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (name, later) = after.split_at(end);
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.is_empty() || !name.chars().all(plain) {
                return Err(unsupported(path));
            }
            steps.push(Step::Field(name.to_owned()));
            rest = later;
        } else {
            let inner = rest.strip_prefix('[').and_then(|after| after.split_once(']'));
            let (index, later) = inner.ok_or_else(|| unsupported(path))?;
            steps.push(match index {
                "*" => Step::Each,
                number => Step::Index(number.parse().map_err(|_| unsupported(path))?),
            });
            rest = later;
        }
    }
    Ok(steps)
}

fn unsupported(path: &str) -> Failure {
    Failure::new("Interpreter.Unsupported", format!("the path `{path}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn paths_lead_to_values_or_are_errors() {
        let data = json!({"a": [{"b": 1}, {"b": 2}], "c": {"d": null}});
        let context = json!({"State": {"RetryCount": 2}});
        for (path, expected) in [
            ("$", data.clone()),
            ("$.a[1].b", json!(2)),
            ("$.a[*].b", json!([1, 2])),
            ("$.c.d", Value::Null),
            ("$$.State.RetryCount", json!(2)),
        ] {
            assert_eq!(get(path, &data, &context).unwrap(), expected, "{path}");
        }
        for path in ["$.missing", "$.a[7]", "$.a[*].c"] {
            assert_eq!(
                get(path, &data, &context).unwrap_err().error,
                "States.Runtime",
                "{path}"
            );
        }
        for path in ["a", "$..b", "$.a[?(@.b>1)]", "$['a']"] {
            let error = get(path, &data, &context).unwrap_err().error;
            assert_eq!(error, "Interpreter.Unsupported", "{path}");
        }
    }

    #[test]
    fn results_are_put_where_their_path_says() {
        assert_eq!(
            put("$.x.y", json!({"a": 1}), json!(2)).unwrap(),
            json!({"a": 1, "x": {"y": 2}})
        );
        assert_eq!(put("$", json!({"a": 1}), json!(2)).unwrap(), json!(2));
        let through = put("$.a.b", json!({"a": 1}), json!(2)).unwrap_err();
        assert_eq!(through.error, "States.ResultPathMatchFailure");
    }
}
