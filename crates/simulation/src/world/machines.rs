//! The machines' files, as SAM deploys them.

use super::functions;
use super::names::{STACK, arn};
use crate::asl::Machine;
use fake_aws::ACCOUNT_ID;
use std::collections::BTreeMap;

/// The machines that there are, and their files.
pub const MACHINES: [(&str, &str); 3] = [
    ("training", "training.asl.json"),
    ("scoring", "batch-scoring.asl.json"),
    ("monitor", "model-monitor.asl.json"),
];

pub(super) fn machines() -> BTreeMap<String, Machine> {
    let parse = |file| Machine::parse(&definition(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    MACHINES.map(|(name, file)| (name.to_owned(), parse(file))).into()
}

/// The file of a machine as SAM deploys it.
pub fn definition(file: &str) -> String {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../statemachines");
    let mut text = std::fs::read_to_string(format!("{root}/{file}")).unwrap();
    for function in functions::NAMES {
        text = text.replace(
            &substitution(function),
            &arn("lambda", &format!("function:{STACK}-{function}")),
        );
    }
    let values = [
        ("Stack", STACK.to_owned()),
        ("AccountId", ACCOUNT_ID.to_owned()),
        ("ConsolidateJobName", format!("{STACK}-consolidate-captures")),
        (
            "SageMakerRoleArn",
            format!("arn:aws:iam::{ACCOUNT_ID}:role/{STACK}-sagemaker"),
        ),
    ];
    for (name, value) in values {
        text = text.replace(&format!("${{{name}}}"), &value);
    }
    text
}

/// `check-endpoint` is `${CheckEndpointFunctionArn}` in the machines.
fn substitution(function: &str) -> String {
    let words = function.split('-').map(|word| word[..1].to_uppercase() + &word[1..]);
    format!("${{{}FunctionArn}}", words.collect::<String>())
}
