//! Evaluates the rules of Choice states on sample documents.

use crate::asl::choice::{Comparison, Test};
use crate::asl::path;
use crate::asl::state::{Machine, State};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The possible outcomes of a rule. A comparison of numbers can go either way, since one sample stands for all numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ways {
    pub holds: bool,
    pub fails: bool,
}

impl Ways {
    fn known(holds: bool) -> Self {
        Self { holds, fails: !holds }
    }
}

/// The possible outcomes of a rule. The error is a variable that can't be compared, and why.
pub fn ways(test: &Test, data: &Value, context: &Value) -> Result<Ways, (String, String)> {
    match test {
        Test::And(it) => {
            let mut all = Ways::known(true);
            for test in &it.and {
                // Tests after one that fails are not evaluated.
                let one = ways(test, data, context)?;
                all = Ways {
                    holds: one.holds,
                    fails: all.fails || one.fails,
                };
                if !one.holds {
                    break;
                }
            }
            Ok(all)
        }
        Test::Or(it) => {
            let mut any = Ways::known(false);
            for test in &it.or {
                let one = ways(test, data, context)?;
                any = Ways {
                    holds: any.holds || one.holds,
                    fails: one.fails,
                };
                if !one.fails {
                    break;
                }
            }
            Ok(any)
        }
        Test::Not(it) => ways(&it.not, data, context).map(|Ways { holds, fails }| Ways {
            holds: fails,
            fails: holds,
        }),
        Test::Comparison(it) => compare(it, data, context),
    }
}

fn compare(it: &Comparison, data: &Value, context: &Value) -> Result<Ways, (String, String)> {
    let wrong = |fault: String| Err((it.variable.clone(), fault));
    let found = match path::find(&it.variable, data, context) {
        Ok(found) => found,
        Err(failure) => return wrong(failure.cause),
    };
    if let Some(wanted) = it.is_present {
        return Ok(Ways::known(found.is_some() == wanted));
    }
    let Some(value) = found else {
        return wrong(super::walk::missing(&it.variable, data));
    };
    if let Some(wanted) = it.is_null {
        return Ok(Ways::known(value.is_null() == wanted));
    }
    match (it.boolean_equals, &it.string_equals, &value) {
        (Some(wanted), None, Value::Bool(truth)) => Ok(Ways::known(*truth == wanted)),
        (None, Some(wanted), Value::String(word)) => Ok(Ways::known(word == wanted)),
        (None, None, Value::Number(_)) => Ok(Ways {
            holds: true,
            fails: true,
        }),
        _ => wrong(format!(
            "`{}` is {value}, and is compared with another type",
            it.variable
        )),
    }
}

/// Collects the variables that a rule looks at, with the words that it compares them with.
pub fn words(test: &Test, compared: &mut BTreeMap<String, BTreeSet<String>>) {
    match test {
        Test::And(it) => it.and.iter().for_each(|test| words(test, compared)),
        Test::Or(it) => it.or.iter().for_each(|test| words(test, compared)),
        Test::Not(it) => words(&it.not, compared),
        Test::Comparison(it) => compared
            .entry(it.variable.clone())
            .or_default()
            .extend(it.string_equals.clone()),
    }
}

/// The same for all choices that look at a machine's own data, including those in branches of a Parallel.
pub fn compared(machine: &Machine, all: &mut BTreeMap<String, BTreeSet<String>>) {
    for state in machine.states.values() {
        match state {
            State::Choice(it) => it.choices.iter().for_each(|rule| words(&rule.test, all)),
            State::Parallel(it) => it.branches.iter().for_each(|branch| compared(branch, all)),
            _ => {}
        }
    }
}
