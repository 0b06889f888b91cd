//! Conversion of a validated request to the types of an operation.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::ApiError;

/// Reads the members of a request that an operation implements.
///
/// `without_effect` names members by their path (`ResourceConfig.VolumeSizeInGB`; list indexes are left out) that are
/// accepted but have no effect on one machine. The request already conforms to AWS's model, so anything else that
/// doesn't fit `T` (types of operations deny unknown fields) is a feature of AWS that is not implemented here.
///
/// # Errors
/// `ValidationException` naming the member that is not implemented or missing.
pub fn parse<T: DeserializeOwned>(request: &Value, without_effect: &[&str]) -> Result<T, ApiError> {
    let mut request = request.clone();
    remove_nulls(&mut request);
    for path in without_effect {
        remove(&mut request, path);
    }
    serde_path_to_error::deserialize(request).map_err(|error| {
        let path = error.path().to_string();
        let text = error.inner().to_string();
        if text.starts_with("missing field") {
            return ApiError::validation(format!(
                "sagemaker-local needs a member that is not there: {path}: {text}"
            ));
        }
        ApiError::not_done(&if text.starts_with("unknown field") {
            format!("`{path}`")
        } else {
            format!("this value of `{path}` ({text})")
        })
    })
}

/// A null member counts as not given.
fn remove_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(remove_nulls);
        }
        Value::Array(elements) => elements.iter_mut().for_each(remove_nulls),
        _ => {}
    }
}

fn remove(value: &mut Value, path: &str) {
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(|element| remove(element, path)),
        Value::Object(members) => match path.split_once('.') {
            None => {
                members.remove(path);
            }
            Some((member, rest)) => {
                if let Some(member) = members.get_mut(member) {
                    remove(member, rest);
                }
            }
        },
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Outer {
        inner: Vec<Inner>,
        note: Option<String>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "PascalCase", deny_unknown_fields)]
    struct Inner {
        mode: Mode,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    enum Mode {
        File,
    }

    #[test]
    fn what_is_not_done_is_named_with_its_path() {
        let refused = |value: Value| parse::<Outer>(&value, &[]).unwrap_err().message;
        assert!(refused(json!({"Inner": [{"Mode": "File", "Shuffle": {}}]})).contains("`Inner[0].Shuffle`"));
        assert!(refused(json!({"Inner": [{"Mode": "Pipe"}]})).contains("`Inner[0].Mode` (unknown variant `Pipe`"));
        assert!(refused(json!({"Inner": [{}]})).contains("Inner[0]: missing field `Mode`"));
    }

    #[test]
    fn members_without_effect_and_nulls_are_passed_over() {
        let request = json!({"Inner": [{"Mode": "File", "Seed": 1}], "Tags": [{"Key": "a"}], "Note": null});
        let parsed: Outer = parse(&request, &["Tags", "Inner.Seed", "NotThere.AtAll"]).unwrap();
        assert_eq!(
            parsed,
            Outer {
                inner: vec![Inner { mode: Mode::File }],
                note: None
            }
        );
    }
}
