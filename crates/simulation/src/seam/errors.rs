//! The names of errors: those that machines catch or retry, and those that `docs/errors.md` explains.

use super::aws::function;
use super::{Finding, functions};
use crate::world::NAMES;
use serde_json::Value;
use std::collections::BTreeSet;

/// The error names of Step Functions itself.
const STATES: [&str; 5] = [
    "States.ALL",
    "States.Timeout",
    "States.TaskFailed",
    "States.Runtime",
    "States.DataLimitExceeded",
];

/// The errors with which AWS calls can fail: the beginning of a resource, and names.
const AWS: [(&str, &[&str]); 6] = [
    (
        // Errors of the service: it was busy, or the function's process was lost. Sandbox.Timedout and
        // Runtime.ExitError mean that the process took too long or died.
        "arn:aws:lambda:",
        &[
            "Lambda.ServiceException",
            "Lambda.AWSLambdaException",
            "Lambda.SdkClientException",
            "Lambda.TooManyRequestsException",
            "Sandbox.Timedout",
            "Runtime.ExitError",
        ],
    ),
    (
        // The optimised integration: AmazonSageMakerException stands for every error that SageMaker's model doesn't
        // declare, including validation and throttling. A quota has been observed under either name.
        "arn:aws:states:::sagemaker:",
        &[
            "SageMaker.AmazonSageMakerException",
            "SageMaker.ThrottlingException",
            "SageMaker.ResourceLimitExceeded",
            "SageMaker.ResourceLimitExceededException",
        ],
    ),
    (
        // SDK integrations use the service's own exception if a code is undeclared.
        "arn:aws:states:::aws-sdk:sagemaker:",
        &["SageMaker.SageMakerException", "SageMaker.ThrottlingException"],
    ),
    (
        // Declared by the service: another change is under way, an internal fault, nothing is registered.
        "arn:aws:states:::aws-sdk:applicationautoscaling:",
        &[
            "ApplicationAutoScaling.ConcurrentUpdateException",
            "ApplicationAutoScaling.InternalServiceException",
            "ApplicationAutoScaling.ObjectNotFoundException",
        ],
    ),
    (
        // AWSGlueException stands for what Glue doesn't declare; the others are its own: an internal fault, a slow
        // answer, throttling, and two quotas.
        "arn:aws:states:::glue:",
        &[
            "Glue.AWSGlueException",
            "Glue.ConcurrentRunsExceededException",
            "Glue.InternalServiceException",
            "Glue.OperationTimeoutException",
            "Glue.ResourceNumberLimitExceededException",
            "Glue.ThrottlingException",
        ],
    ),
    // Single entries can be refused.
    ("arn:aws:states:::events:", &["EventBridge.FailedEntry"]),
];

/// Names in Retry and Catch with which nothing that the state calls can fail.
pub fn of_machine(file: &str, machine: &Value) -> BTreeSet<Finding> {
    let mut findings = BTreeSet::new();
    each_state(machine, &mut |state, definition| {
        let resource = definition["Resource"].as_str().unwrap_or_default();
        let mut known: BTreeSet<&str> = STATES.into();
        let services = AWS.iter().filter(|(prefix, _)| resource.starts_with(prefix));
        known.extend(services.flat_map(|(_, names)| names.iter()));
        if let Some(own) = function(resource).and_then(functions::errors) {
            known.extend(own.iter().chain(platform::Error::TYPES));
        }
        for field in ["Retry", "Catch"] {
            let rules = definition[field].as_array().into_iter().flatten();
            let waited = rules.flat_map(|rule| rule["ErrorEquals"].as_array().into_iter().flatten());
            for error in waited.filter_map(Value::as_str).filter(|error| !known.contains(error)) {
                findings.insert(Finding {
                    file: file.to_owned(),
                    state: state.to_owned(),
                    field: format!("{field}.ErrorEquals"),
                    fault: format!(
                        "`{error}` is nothing that {resource} fails with: it is one of {}",
                        listed(&known)
                    ),
                });
            }
        }
    });
    findings
}

/// The text of `docs/errors.md`.
pub fn document() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors.md");
    std::fs::read_to_string(path).unwrap()
}

/// Where the document names other errors than the functions and machines have.
pub fn of_document(document: &str) -> BTreeSet<Finding> {
    let sections = sections();
    let mut findings = BTreeSet::new();
    let mut found = |section: &str, field: &str, fault: String| {
        findings.insert(Finding {
            file: "docs/errors.md".to_owned(),
            state: section.to_owned(),
            field: field.to_owned(),
            fault,
        });
    };
    let services = AWS.iter().flat_map(|(_, names)| names.iter().copied());
    let elsewhere: BTreeSet<&str> = STATES.into_iter().chain(services).collect();
    for (section, has) in &sections {
        let named = named(document, section);
        for name in has.difference(&named) {
            found(
                section,
                "missing",
                format!("`{name}` can be its error, and has no line"),
            );
        }
        for name in named.difference(has).filter(|name| !elsewhere.contains(name.as_str())) {
            found(
                section,
                "too much",
                format!("`{name}` has a line, and is none of its errors"),
            );
        }
    }
    let mut section = "";
    for line in document.lines() {
        section = line.strip_prefix("## ").unwrap_or(section);
        if line.starts_with("| error_type |") && sections.iter().all(|(known, _)| known != section) {
            found(
                section,
                "heading",
                format!("there is no function of that name: there are {}", NAMES.join(", ")),
            );
        }
    }
    findings
}

/// The document's sections, with the errors that each of them must name.
fn sections() -> Vec<(String, BTreeSet<String>)> {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let mut sections = vec![("Any function".to_owned(), owned(platform::Error::TYPES))];
    for function in NAMES {
        sections.push((function.to_owned(), owned(functions::errors(function).unwrap())));
    }
    for (machine, section) in [
        ("training", "The training machine"),
        ("scoring", "The scoring machine"),
        ("monitor", "The monitoring machine"),
    ] {
        sections.push((section.to_owned(), own(&super::machine(machine))));
    }
    sections
}

/// The errors that a machine makes itself: those of its Fail states, and those that it writes in the form of a Catch.
fn own(machine: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    each_state(machine, &mut |_, state| {
        let made = [
            &state["Error"],
            &state["Result"]["Error"],
            &state["Parameters"]["Error"],
        ];
        names.extend(made.into_iter().filter_map(Value::as_str).map(str::to_owned));
    });
    names
}

/// The names in the first column of a section's table of errors; a second table in a section is about something else.
fn named(document: &str, section: &str) -> BTreeSet<String> {
    let mut lines = document
        .lines()
        .skip_while(|line| *line != format!("## {section}"))
        .skip(1);
    let body = lines.by_ref().take_while(|line| !line.starts_with("## "));
    let table = body.skip_while(|line| !line.starts_with("| error")).skip(2);
    table
        .take_while(|line| line.starts_with('|'))
        .filter_map(|line| line.split('|').nth(1))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect()
}

/// Visits every state of a machine, including nested ones.
pub fn each_state<'a>(machine: &'a Value, see: &mut impl FnMut(&'a str, &'a Value)) {
    for (name, state) in machine["States"].as_object().into_iter().flatten() {
        see(name, state);
        let branches = state["Branches"].as_array().into_iter().flatten();
        for inner in branches.chain(state.get("ItemProcessor")) {
            each_state(inner, see);
        }
    }
}

fn listed(names: &BTreeSet<&str>) -> String {
    names.iter().copied().collect::<Vec<_>>().join(", ")
}
