//! The AWS calls of the machines: SageMaker and Application Auto Scaling are checked by excerpts of AWS's own models,
//! the others by the members that are used.

use super::functions::{self, Called};
use super::live;
use super::payload::Faults;
use crate::world::STACK;
use contracts::scoring::{OUTCOMES, Outcome};
use sagemaker_local::Service;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::rc::Rc;

/// The calls of tasks, and those made before.
pub struct Tasks {
    sagemaker: Model,
    autoscaling: Model,
    called: HashMap<String, Rc<Called>>,
}

/// An excerpt of a service's model in botocore's form: the operations that machines call, without documentation.
struct Model {
    service: Service,
    definition: Value,
}

/// Integrations of other services: their required members, and others that machines may give. None of their results is
/// used.
const OTHERS: [(&str, &[&str], &[&str]); 5] = [
    ("aws-sdk:ssm:putParameter", &["Name", "Value"], &["Type", "Overwrite"]),
    ("aws-sdk:s3:putObject", &["Bucket", "Key"], &["Body", "ContentType"]),
    ("events:putEvents", &["Entries"], &[]),
    ("glue:startJobRun.sync", &["JobName"], &["Arguments"]),
    (
        "aws-sdk:quicksight:createIngestion",
        &["AwsAccountId", "DataSetId", "IngestionId"],
        &[],
    ),
];

impl Tasks {
    pub fn new() -> Self {
        Self {
            sagemaker: Model::of(include_str!("service_models/sagemaker.json")),
            autoscaling: Model::of(include_str!("service_models/application-autoscaling.json")),
            called: HashMap::new(),
        }
    }

    /// Calls what a resource names: a function, or an operation of a service.
    pub fn call(&mut self, resource: &str, parameters: &Value) -> Rc<Called> {
        // A function is called once for each form of payload, of which its step or mode is a part; AWS calls are also
        // told apart by names.
        let function = function(resource);
        let form = match function {
            Some(_) => format!(
                "{} {} {}",
                parameters["step"],
                parameters["mode"],
                live::form(parameters)
            ),
            None => parameters.to_string(),
        };
        let key = format!("{resource} {form}");
        if let Some(called) = self.called.get(&key) {
            return called.clone();
        }
        let called = Rc::new(match function {
            Some(name) => functions::call(name, parameters),
            None => self.service(resource, parameters),
        });
        self.called.insert(key, called.clone());
        called
    }

    fn service(&self, resource: &str, parameters: &Value) -> Called {
        let name = resource.strip_prefix("arn:aws:states:::").unwrap_or(resource);
        let parts: Vec<&str> = name.split([':', '.']).collect();
        match parts.as_slice() {
            ["sagemaker", action, "sync"] => self.sagemaker.job(action, parameters),
            ["sagemaker", action] | ["aws-sdk", "sagemaker", action] => self.sagemaker.call(action, parameters),
            ["aws-sdk", "applicationautoscaling", action] => self.autoscaling.call(action, parameters),
            _ => other(name, parameters),
        }
    }
}

impl Model {
    fn of(text: &str) -> Self {
        Self {
            service: Service::parse(text.as_bytes()).unwrap(),
            definition: serde_json::from_str(text).unwrap(),
        }
    }

    /// Returns the operation's output.
    fn call(&self, action: &str, parameters: &Value) -> Called {
        let operation = action[..1].to_uppercase() + &action[1..];
        self.answered(&operation, &operation, parameters)
    }

    /// Returns the description of the job once it has ended.
    fn job(&self, action: &str, parameters: &Value) -> Called {
        let job = action.trim_start_matches("create");
        self.answered(&format!("Create{job}"), &format!("Describe{job}"), parameters)
    }

    fn answered(&self, operation: &str, answers: &str, parameters: &Value) -> Called {
        match self.service.validate(operation, parameters) {
            Ok(()) => Called {
                faults: Vec::new(),
                results: vec![self.sample(&self.definition["operations"][answers]["output"]["shape"])],
            },
            Err(refusal) => Called {
                faults: vec![(String::new(), format!("AWS refuses {operation}: {}", refusal.message))],
                results: Vec::new(),
            },
        }
    }

    /// The minimum that a shape guarantees: its required members.
    fn sample(&self, shape: &Value) -> Value {
        let Some(name) = shape.as_str() else {
            return json!({});
        };
        let definition = &self.definition["shapes"][name];
        match definition["type"].as_str() {
            Some("structure") => {
                let required = definition["required"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str);
                let members = required.map(|it| (it.to_owned(), self.sample(&definition["members"][it]["shape"])));
                members.collect::<Map<_, _>>().into()
            }
            Some("list") => json!([]),
            Some("map") => json!({}),
            Some("boolean") => json!(false),
            Some("string") if name.ends_with("Uri") => json!("s3://bucket/key"),
            Some("string") if name.ends_with("Arn") => json!("arn:aws:sagemaker:us-east-1:123456789012:kind/name"),
            Some("string") => definition["enum"].get(0).cloned().unwrap_or_else(|| "name".into()),
            _ => json!(0),
        }
    }
}

/// The function that a resource names, without the stack's prefix.
pub fn function(resource: &str) -> Option<&str> {
    let (_, name) = resource.split_once(&format!(":function:{STACK}-"))?;
    Some(name)
}

fn other(name: &str, parameters: &Value) -> Called {
    let mut called = Called::default();
    let known = OTHERS.iter().find(|(other, ..)| *other == name);
    let (Some((_, needed, taken)), Some(given)) = (known, parameters.as_object()) else {
        let fault = format!("no machine has called {name} before: say here what it takes");
        called.faults.push((String::new(), fault));
        return called;
    };
    for member in *needed {
        if !given.contains_key(*member) {
            called.faults.push((format!(".{member}"), format!("{name} needs it")));
        }
    }
    for member in given.keys() {
        if ![*needed, *taken].concat().contains(&member.as_str()) {
            called
                .faults
                .push((format!(".{member}"), format!("{name} is not known to take it")));
        }
    }
    called.faults.extend(unread(parameters));
    called.results.push(json!({}));
    called
}

/// Checks what machines write for our own programs: the outcomes of models' jobs for drivetrain-combine, and events for
/// start-run.
fn unread(parameters: &Value) -> Faults {
    let mut faults = Faults::new();
    if parameters["Key"].as_str().is_some_and(|key| key.ends_with(OUTCOMES))
        && let Err(error) = serde_json::from_value::<Vec<Outcome>>(parameters["Body"].clone())
    {
        faults.push((".Body".to_owned(), format!("drivetrain-combine can't read it: {error}")));
    }
    for entry in parameters["Entries"].as_array().into_iter().flatten() {
        let event = json!({
            "detail-type": entry["DetailType"], "time": "2026-11-22T18:30:00Z", "detail": entry["Detail"],
        });
        if let Err(error) = start_run::read(event) {
            faults.push((
                ".Entries".to_owned(),
                format!("start-run can't read the event: {error}"),
            ));
        }
    }
    faults
}
