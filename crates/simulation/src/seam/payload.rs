//! Parses a payload as the function does, and finds the fields that the function ignores.

use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt::Debug;

/// What is wrong with a payload: field and fault.
pub type Faults = Vec<(String, String)>;

/// The payload as the function's request; or else why it can't be parsed, or which fields would be ignored.
pub fn request<T: DeserializeOwned + Debug>(payload: &Value) -> Result<T, Faults> {
    let read = |payload: Value| serde_json::from_value::<T>(payload).map_err(|error| error.to_string());
    read(payload.clone())
        .map_err(|error| vec![(String::new(), not_taken(&error, payload))])
        .and_then(
            |request| match ignored(payload, &|it| read(it).map(|it| format!("{it:?}"))) {
                faults if faults.is_empty() => Ok(request),
                faults => Err(faults),
            },
        )
}

/// Fields that make no difference to the parsed request, neither when they are left out nor when they hold something
/// else. serde could only report them for types without tagged or flattened parts.
pub fn ignored(payload: &Value, read: &dyn Fn(Value) -> Result<String, String>) -> Faults {
    let mut faults = Faults::new();
    if let Ok(whole) = read(payload.clone()) {
        below("", payload, &|it| read(it).as_ref() == Ok(&whole), payload, &mut faults);
    }
    faults
}

fn below(pointer: &str, value: &Value, same: &dyn Fn(Value) -> bool, payload: &Value, faults: &mut Faults) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let place = format!("{pointer}/{name}");
                let unread = others().all(|other| same(with(payload, pointer, name, other)));
                if unread {
                    let fault = "the function doesn't read it".to_owned();
                    faults.push((place.replace('/', "."), fault));
                } else {
                    below(&place, value, same, payload, faults);
                }
            }
        }
        Value::Array(items) => {
            if let Some(first) = items.first() {
                below(&format!("{pointer}/0"), first, same, payload, faults);
            }
        }
        _ => {}
    }
}

/// Values that a field may hold instead; the first is no value at all.
fn others() -> impl Iterator<Item = Option<Value>> {
    let values = ["7", "true", r#""other""#, r#"["other"]"#, r#"{"other": 7}"#];
    let values = values.into_iter().map(|text| serde_json::from_str(text).ok());
    std::iter::once(None).chain(values)
}

fn with(payload: &Value, pointer: &str, name: &str, other: Option<Value>) -> Value {
    let mut payload = payload.clone();
    if let Some(fields) = payload.pointer_mut(pointer).and_then(Value::as_object_mut) {
        match other {
            Some(other) => fields.insert(name.to_owned(), other),
            None => fields.remove(name),
        };
    }
    payload
}

/// Explains why a payload is not the function's request.
pub fn not_taken(error: &str, payload: &Value) -> String {
    let fields: Vec<&str> = payload
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect();
    format!(
        "the function does not take it: {error}; it is sent {}",
        fields.join(", ")
    )
}
