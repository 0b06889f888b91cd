//! The rules of a Choice state.

use super::{Failure, path};
use serde::Deserialize;
use serde_json::Value;

/// A rule, with the state that it leads to.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Rule {
    /// The next state if the rule holds.
    pub next: String,
    /// The condition.
    #[serde(flatten)]
    pub test: Test,
}

/// A rule, or a part of one.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Test {
    And(And),
    Or(Or),
    Not(Not),
    Comparison(Comparison),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct And {
    pub and: Vec<Test>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Or {
    pub or: Vec<Test>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Not {
    pub not: Box<Test>,
}

/// A comparison: exactly one of the operators is given.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Comparison {
    pub variable: String,
    pub boolean_equals: Option<bool>,
    pub string_equals: Option<String>,
    pub numeric_equals: Option<f64>,
    pub numeric_less_than: Option<f64>,
    pub numeric_less_than_equals: Option<f64>,
    pub numeric_greater_than: Option<f64>,
    pub numeric_greater_than_equals: Option<f64>,
    pub is_present: Option<bool>,
    pub is_null: Option<bool>,
}

impl Rule {
    /// Whether the test holds.
    pub fn holds(&self, data: &Value, context: &Value) -> Result<bool, Failure> {
        self.test.holds(data, context)
    }
}

impl Test {
    fn holds(&self, data: &Value, context: &Value) -> Result<bool, Failure> {
        match self {
            Self::And(And { and }) => all(and, data, context),
            Self::Or(Or { or }) => any(or, data, context),
            Self::Not(Not { not }) => Ok(!not.holds(data, context)?),
            Self::Comparison(comparison) => comparison.holds(data, context),
        }
    }
}

/// Whether all tests hold. Stops at the first that doesn't, as Step Functions does: what later tests look at may not
/// exist.
fn all(tests: &[Test], data: &Value, context: &Value) -> Result<bool, Failure> {
    for test in tests {
        if !test.holds(data, context)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn any(tests: &[Test], data: &Value, context: &Value) -> Result<bool, Failure> {
    for test in tests {
        if test.holds(data, context)? {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Comparison {
    fn holds(&self, data: &Value, context: &Value) -> Result<bool, Failure> {
        if let Some(wanted) = self.is_present {
            return Ok(path::find(&self.variable, data, context)?.is_some() == wanted);
        }
        let value = path::get(&self.variable, data, context)?;
        let number = |test: &dyn Fn(f64) -> bool| value.as_f64().is_some_and(test);
        if let Some(wanted) = self.boolean_equals {
            Ok(value.as_bool() == Some(wanted))
        } else if let Some(wanted) = &self.string_equals {
            Ok(value.as_str() == Some(wanted))
        } else if let Some(wanted) = self.is_null {
            Ok(value.is_null() == wanted)
        } else if let Some(wanted) = self.numeric_equals {
            Ok(number(&|it| (it - wanted).abs() < f64::EPSILON))
        } else if let Some(wanted) = self.numeric_less_than {
            Ok(number(&|it| it < wanted))
        } else if let Some(wanted) = self.numeric_less_than_equals {
            Ok(number(&|it| it <= wanted))
        } else if let Some(wanted) = self.numeric_greater_than {
            Ok(number(&|it| it > wanted))
        } else if let Some(wanted) = self.numeric_greater_than_equals {
            Ok(number(&|it| it >= wanted))
        } else {
            let text = format!("a choice on `{}` without an operator that is known", self.variable);
            Err(Failure::new("Interpreter.Unsupported", text))
        }
    }
}
