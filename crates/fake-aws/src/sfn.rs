//! Step Functions: starts, lists and describes executions. Every state machine exists; none runs: an execution is
//! `RUNNING` until the test ends it.

use aws_smithy_types::DateTime;
use serde_json::{Value, json};

use crate::{Reply, Request};

const NAME_LIMIT: usize = 80;

/// A started execution.
#[derive(Clone, Debug, PartialEq)]
pub struct Execution {
    /// ARN of the state machine.
    pub state_machine_arn: String,
    /// ARN of the execution.
    pub arn: String,
    /// Its name, unique within the state machine.
    pub name: String,
    /// Its input.
    pub input: Value,
    /// `RUNNING`, `SUCCEEDED`, `FAILED`, `TIMED_OUT` or `ABORTED`.
    pub status: String,
    /// The input as it was sent: idempotency compares the text.
    input_text: String,
    started: DateTime,
    ended: Option<DateTime>,
}

#[derive(Default)]
pub(crate) struct Sfn {
    pub(crate) executions: Vec<Execution>,
}

impl Sfn {
    /// Ends the newest execution with this name; returns whether there was one.
    pub(crate) fn end(&mut self, name: &str, status: &str, now: DateTime) -> bool {
        let execution = self
            .executions
            .iter_mut()
            .rev()
            .find(|execution| execution.name == name);
        execution.is_some_and(|execution| {
            execution.status = status.to_owned();
            execution.ended = Some(now);
            true
        })
    }

    pub(crate) fn answer(&mut self, request: &Request, now: DateTime) -> Option<Reply> {
        let input = request.json();
        let result = match request.operation.as_str() {
            "StartExecution" => self.start_execution(&input, now),
            "DescribeExecution" => self.describe_execution(&input),
            "ListExecutions" => Ok(self.list_executions(&input)),
            _ => return None,
        };
        Some(result.map_or_else(|error| error, |output| Reply::json(200, output)))
    }

    fn start_execution(&mut self, input: &Value, now: DateTime) -> Result<Value, Reply> {
        let state_machine_arn = input["stateMachineArn"].as_str().unwrap_or_default();
        let Some((scope, machine)) = state_machine_arn.split_once(":stateMachine:") else {
            return Err(error("InvalidArn", format!("Invalid Arn: {state_machine_arn:?}")));
        };
        let generated = format!("execution-{:04}", self.executions.len() + 1);
        let name = input["name"].as_str().unwrap_or(&generated);
        if !is_name(name) {
            return Err(error("InvalidName", format!("Invalid Name: {name:?}")));
        }
        let input_text = input["input"].as_str().unwrap_or("{}");
        let document = serde_json::from_str(input_text).map_err(|reason| {
            error(
                "InvalidExecutionInput",
                format!("Invalid State Machine Execution Input: {reason}"),
            )
        })?;
        let arn = format!("{scope}:execution:{machine}:{name}");
        if let Some(existing) = self.executions.iter().find(|execution| execution.arn == arn) {
            if existing.status == "RUNNING" && existing.input_text == input_text {
                return Ok(json!({"executionArn": arn, "startDate": existing.started.as_secs_f64()}));
            }
            return Err(error(
                "ExecutionAlreadyExists",
                format!("Execution Already Exists: '{arn}'"),
            ));
        }
        self.executions.push(Execution {
            state_machine_arn: state_machine_arn.to_owned(),
            arn: arn.clone(),
            name: name.to_owned(),
            input: document,
            status: "RUNNING".to_owned(),
            input_text: input_text.to_owned(),
            started: now,
            ended: None,
        });
        Ok(json!({"executionArn": arn, "startDate": now.as_secs_f64()}))
    }

    fn describe_execution(&self, input: &Value) -> Result<Value, Reply> {
        let arn = input["executionArn"].as_str().unwrap_or_default();
        let execution = self.executions.iter().find(|execution| execution.arn == arn);
        let execution =
            execution.ok_or_else(|| error("ExecutionDoesNotExist", format!("Execution Does Not Exist: '{arn}'")))?;
        let mut output = execution.summary();
        output["input"] = json!(execution.input_text);
        Ok(output)
    }

    /// The executions, newest first, on one page.
    fn list_executions(&self, input: &Value) -> Value {
        let executions = self.executions.iter().rev();
        let executions: Vec<Value> = executions
            .filter(|execution| input["stateMachineArn"] == execution.state_machine_arn.as_str())
            .filter(|execution| {
                input["statusFilter"]
                    .as_str()
                    .is_none_or(|status| status == execution.status)
            })
            .map(Execution::summary)
            .collect();
        json!({"executions": executions})
    }
}

impl Execution {
    fn summary(&self) -> Value {
        let mut summary = json!({
            "executionArn": self.arn,
            "stateMachineArn": self.state_machine_arn,
            "name": self.name,
            "status": self.status,
            "startDate": self.started.as_secs_f64(),
        });
        if let Some(ended) = &self.ended {
            summary["stopDate"] = json!(ended.as_secs_f64());
        }
        summary
    }
}

/// Whether a name has 1 to 80 characters, without white space, control characters and those that Step Functions
/// forbids.
fn is_name(name: &str) -> bool {
    let forbidden = |character: char| {
        character.is_whitespace() || character.is_control() || "<>{}[]?*\"#%\\^|~`$&,;:/".contains(character)
    };
    (1..=NAME_LIMIT).contains(&name.chars().count()) && !name.contains(forbidden)
}

fn error(code: &str, message: String) -> Reply {
    Reply::error(400, code, message)
}
