//! Parameter Store: versioned parameters. Values are never encrypted; `SecureString` is a name only.

use std::collections::BTreeMap;

use aws_smithy_types::DateTime;
use serde_json::{Value, json};

use crate::{ACCOUNT_ID, REGION, Reply, Request};

const STANDARD_LIMIT_BYTES: usize = 4096;
const ADVANCED_LIMIT_BYTES: usize = 8192;
const NAMES_LIMIT: usize = 10;

#[derive(Default)]
pub(crate) struct Ssm {
    /// The versions of each parameter by its name; versions count from 1.
    parameters: BTreeMap<String, Vec<Version>>,
}

struct Version {
    value: String,
    kind: String,
    modified: DateTime,
}

/// What tests read and change.
impl Ssm {
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        Some(self.parameters.get(name)?.last()?.value.clone())
    }

    pub(crate) fn put(&mut self, name: &str, value: &str, now: DateTime) {
        let version = Version {
            value: value.to_owned(),
            kind: "String".to_owned(),
            modified: now,
        };
        self.parameters.entry(name.to_owned()).or_default().push(version);
    }

    /// Deletes a parameter; returns whether it existed.
    pub(crate) fn delete(&mut self, name: &str) -> bool {
        self.parameters.remove(name).is_some()
    }

    pub(crate) fn names(&self, prefix: &str) -> Vec<String> {
        self.parameters
            .keys()
            .filter(|name| name.starts_with(prefix))
            .cloned()
            .collect()
    }
}

impl Ssm {
    pub(crate) fn answer(&mut self, request: &Request, now: DateTime) -> Option<Reply> {
        let input = request.json();
        let result = match request.operation.as_str() {
            "GetParameter" => self.get_parameter(&input),
            "GetParameters" => self.get_parameters(&input),
            "GetParametersByPath" => self.get_parameters_by_path(&input),
            "PutParameter" => self.put_parameter(&input, now),
            "DeleteParameter" => self.delete_parameter(&input),
            _ => return None,
        };
        Some(result.map_or_else(|error| error, |output| Reply::json(200, output)))
    }

    fn get_parameter(&self, input: &Value) -> Result<Value, Reply> {
        let name = text(input, "Name");
        Ok(json!({"Parameter": self.find(name).ok_or_else(not_found)?}))
    }

    fn get_parameters(&self, input: &Value) -> Result<Value, Reply> {
        let names: Vec<&str> = input["Names"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        if names.is_empty() || names.len() > NAMES_LIMIT {
            return Err(invalid(&format!(
                "names must have 1 to {NAMES_LIMIT} members, not {}",
                names.len()
            )));
        }
        let found: Vec<Value> = names.iter().filter_map(|name| self.find(name)).collect();
        let missing: Vec<&&str> = names.iter().filter(|name| self.find(name).is_none()).collect();
        Ok(json!({"Parameters": found, "InvalidParameters": missing}))
    }

    fn get_parameters_by_path(&self, input: &Value) -> Result<Value, Reply> {
        let path = text(input, "Path");
        if !path.starts_with('/') {
            return Err(invalid("The parameter path must begin with a slash"));
        }
        let prefix = format!("{}/", path.trim_end_matches('/'));
        let recursive = input["Recursive"].as_bool().unwrap_or(false);
        let limit = input["MaxResults"]
            .as_u64()
            .map_or(NAMES_LIMIT, |limit| usize::try_from(limit).unwrap_or(NAMES_LIMIT));
        // A pagination token is the last name of the page before.
        let after = text(input, "NextToken");
        let mut names = self
            .parameters
            .keys()
            .filter(|name| name.as_str() > after)
            .filter(|name| {
                name.strip_prefix(&prefix)
                    .is_some_and(|rest| recursive || !rest.contains('/'))
            });
        let page: Vec<&String> = names.by_ref().take(limit.clamp(1, NAMES_LIMIT)).collect();
        let mut output = json!({"Parameters": page.iter().filter_map(|name| self.find(name)).collect::<Vec<_>>()});
        if let (Some(_), Some(last)) = (names.next(), page.last()) {
            output["NextToken"] = json!(last);
        }
        Ok(output)
    }

    fn put_parameter(&mut self, input: &Value, now: DateTime) -> Result<Value, Reply> {
        let (name, value) = (text(input, "Name"), text(input, "Value"));
        let advanced = matches!(text(input, "Tier"), "Advanced" | "Intelligent-Tiering");
        let limit = if advanced {
            ADVANCED_LIMIT_BYTES
        } else {
            STANDARD_LIMIT_BYTES
        };
        if name.is_empty() || value.is_empty() {
            return Err(invalid("name and value must have length greater than or equal to 1"));
        }
        if value.len() > limit {
            return Err(invalid(&format!(
                "the value of {name} has {} bytes; its tier allows {limit}",
                value.len()
            )));
        }
        let existing = self.parameters.get(name).and_then(|versions| versions.last());
        let overwrite = input["Overwrite"].as_bool().unwrap_or(false);
        let tagged = input["Tags"].as_array().is_some_and(|tags| !tags.is_empty());
        if overwrite && tagged {
            return Err(invalid("tags and overwrite can't be used together"));
        }
        if existing.is_some() && !overwrite {
            let message = "The parameter already exists. To overwrite this value, set the overwrite option.";
            return Err(Reply::error(400, "ParameterAlreadyExists", message));
        }
        let kind = match (input["Type"].as_str(), existing) {
            (Some(kind), _) => kind.to_owned(),
            (None, Some(existing)) => existing.kind.clone(),
            (None, None) => return Err(invalid("A parameter type is required when you create a parameter.")),
        };
        let version = Version {
            value: value.to_owned(),
            kind,
            modified: now,
        };
        let versions = self.parameters.entry(name.to_owned()).or_default();
        versions.push(version);
        Ok(json!({"Version": versions.len(), "Tier": if advanced { "Advanced" } else { "Standard" }}))
    }

    fn delete_parameter(&mut self, input: &Value) -> Result<Value, Reply> {
        let found = self.delete(text(input, "Name"));
        found.then(|| json!({})).ok_or_else(not_found)
    }

    /// Finds a parameter by `name` or `name:version`.
    fn find(&self, name: &str) -> Option<Value> {
        let (name, number) = match name.split_once(':') {
            Some((name, number)) => (name, Some(number.parse::<usize>().ok()?)),
            None => (name, None),
        };
        let versions = self.parameters.get(name)?;
        let number = number.unwrap_or(versions.len());
        let version = versions.get(number.checked_sub(1)?)?;
        Some(json!({
            "Name": name,
            "Type": version.kind,
            "Value": version.value,
            "Version": number,
            "LastModifiedDate": version.modified.as_secs_f64(),
            "ARN": format!("arn:aws:ssm:{REGION}:{ACCOUNT_ID}:parameter/{}", name.trim_start_matches('/')),
            "DataType": "text",
        }))
    }
}

fn text<'a>(input: &'a Value, name: &str) -> &'a str {
    input[name].as_str().unwrap_or_default()
}

fn not_found() -> Reply {
    Reply::error(400, "ParameterNotFound", "The parameter does not exist.")
}

fn invalid(message: &str) -> Reply {
    Reply::error(400, "ValidationException", message)
}
