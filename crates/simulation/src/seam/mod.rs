//! Holds the state machines and the Rust that they call together: what a state reads is there, what it sends is what the
//! receiver takes, and what it waits to hear is what the receiver says.
//!
//! [`walk`] takes each machine along every way that there is, on documents that stand for all that can come: real plans
//! ([`plans`]), an answer of every form by each function ([`functions`]), the results that AWS's models promise
//! ([`aws`]), the error of every Catch. [`errors`] compares the names of errors, and `docs/errors.md`, with the functions'.
//! Whether all this finds anything is shown in [`mutations`].

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

/// A place where machine and Rust differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    /// The machine, or a document.
    file: String,
    /// The state, or the section of a document.
    state: String,
    /// The field of the state.
    field: String,
    /// What is wrong, with the path that was taken and what there is instead.
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

/// All that is wrong with a machine, given the plans that it is started with.
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

/// Fails with a line for each finding.
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
