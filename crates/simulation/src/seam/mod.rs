//! Checks the state machines against the Rust code that they call: what a state reads exists, what it sends is what the
//! receiver accepts, and the outcomes that it distinguishes are those that the receiver has.
//!
//! [`walk`] takes each machine along every possible way, on samples of every document that can occur: real plans
//! ([`plans`]), an answer of every form by each function ([`functions`]), the results that AWS's models guarantee
//! ([`aws`]), the error of every Catch. [`errors`] compares the names of errors, and `docs/errors.md`, with those of
//! the functions. [`mutations`] shows that these checks find mistakes.

mod aws;
mod choices;
mod errors;
mod excerpts;
mod functions;
mod live;
mod mutations;
mod payload;
mod plans;
mod walk;

use crate::asl::Machine;
use crate::world::{MACHINES, definition};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt;

/// A place where a machine and the Rust code differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    /// The machine, or a document.
    file: String,
    /// The state, or the section of a document.
    state: String,
    /// The field of the state.
    field: String,
    /// What is wrong, with the path concerned and what is there instead.
    fault: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            state,
            field,
            fault,
        } = self;
        write!(f, "{file}: {state}: {field}: {fault}")
    }
}

/// Everything that is wrong with a machine, given the plans that it is started with.
fn check(name: &str, machine: &Value, plans: &[Value]) -> BTreeSet<Finding> {
    let file = format!("statemachines/{}", file(name));
    let mut findings = errors::of_machine(&file, machine);
    let machine = Machine::parse(&machine.to_string()).unwrap_or_else(|error| panic!("{file}: {error}"));
    findings.extend(walk::findings(&file, &machine, plans));
    findings
}

/// A machine as it is deployed.
fn machine(name: &str) -> Value {
    serde_json::from_str(&definition(file(name))).unwrap()
}

fn file(machine: &str) -> &'static str {
    MACHINES.iter().find(|(name, _)| *name == machine).unwrap().1
}

/// Fails with one line for each finding.
fn none(findings: &BTreeSet<Finding>) {
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "{} differences:\n{}", lines.len(), lines.join("\n"));
}

#[test]
fn the_training_machine_and_the_functions_agree() {
    none(&check("training", &machine("training"), &plans::training()));
}

#[test]
fn the_scoring_machine_and_its_plan_agree() {
    none(&check("scoring", &machine("scoring"), &plans::scoring()));
}

#[test]
fn the_monitoring_machine_and_the_functions_agree() {
    none(&check("monitor", &machine("monitor"), &plans::monitoring()));
}

#[test]
fn errors_md_names_the_errors_that_there_are() {
    none(&errors::of_document(&errors::document()));
}
