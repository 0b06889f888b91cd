//! Runs a machine.

use super::state::{Catcher, Machine, Map, Parallel, Retrier, State, Task};
use super::{Failure, path, template};
use futures::future::{FutureExt, LocalBoxFuture, try_join_all};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// The most data that Step Functions accepts from a state.
const DATA_LIMIT_BYTES: usize = 256 * 1024;

/// The environment of a running machine.
pub trait Host {
    /// Performs a task: `Ok` with its result.
    fn call<'a>(&'a self, resource: &'a str, parameters: Value) -> LocalBoxFuture<'a, Result<Value, Failure>>;
    /// Waits.
    fn sleep(&self, time: Duration) -> LocalBoxFuture<'static, ()>;
    /// The time of its clock.
    fn now(&self) -> Timestamp;
    /// Called for every state that is entered, before it does anything.
    fn entered<'a>(&'a self, state: &'a str, data: &'a Value) -> LocalBoxFuture<'a, ()>;
}

/// Runs a machine or a branch to its end.
pub fn run<'a>(
    host: &'a Arc<dyn Host>,
    machine: &'a Machine,
    input: Value,
    execution: &'a Value,
) -> LocalBoxFuture<'a, Result<Value, Failure>> {
    async move {
        let mut name = machine.start_at.clone();
        let mut data = input;
        loop {
            within_limit(&name, &data)?;
            host.entered(&name, &data).await;
            let state = &machine.states[&name];
            let running = Running {
                host,
                name: &name,
                entered: host.now(),
                execution,
            };
            match running.state(state, data).await? {
                (output, Some(next)) => (data, name) = (output, next),
                (output, None) => return Ok(output),
            }
        }
    }
    .boxed_local()
}

struct Running<'a> {
    host: &'a Arc<dyn Host>,
    name: &'a str,
    entered: Timestamp,
    execution: &'a Value,
}

/// A state's output and the next state; `None` at an end.
type Done = (Value, Option<String>);

impl Running<'_> {
    async fn state(&self, state: &State, data: Value) -> Result<Done, Failure> {
        let context = self.context(0);
        match state {
            State::Pass(it) => {
                let result = match (&it.result, &it.parameters) {
                    (Some(result), _) => result.clone(),
                    (None, Some(parameters)) => template::fill(parameters, &data, &context)?,
                    (None, None) => data.clone(),
                };
                Ok((with_result(it.result_path.as_deref(), data, result)?, it.next.clone()))
            }
            State::Choice(it) => {
                for rule in &it.choices {
                    if rule.holds(&data, &context)? {
                        return Ok((data, Some(rule.next.clone())));
                    }
                }
                let none = || Failure::new("States.NoChoiceMatched", format!("no choice of {} holds", self.name));
                Ok((data, Some(it.default.clone().ok_or_else(none)?)))
            }
            State::Wait(it) => {
                let seconds = match (&it.seconds, &it.seconds_path) {
                    (Some(seconds), None) => Some(*seconds),
                    (None, Some(at)) => path::get(at, &data, &context)?.as_u64(),
                    _ => None,
                };
                let unknown = || Failure::new("States.Runtime", format!("{} says no number of seconds", self.name));
                self.host.sleep(Duration::from_secs(seconds.ok_or_else(unknown)?)).await;
                Ok((data, it.next.clone()))
            }
            State::Succeed(it) => {
                let output = path::get(it.output_path.as_deref().unwrap_or("$"), &data, &context)?;
                Ok((output, None))
            }
            State::Fail(it) => {
                let text = |plain: &Option<String>, at: &Option<String>| match (plain, at) {
                    (_, Some(expression)) => {
                        let value = template::evaluate(expression, &data, &context)?;
                        Ok(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                    }
                    (plain, None) => Ok(plain.clone().unwrap_or_default()),
                };
                Err(Failure {
                    error: text(&it.error, &it.error_path)?,
                    cause: text(&it.cause, &it.cause_path)?,
                })
            }
            State::Task(it) => {
                let rules = (it.retry.as_slice(), it.catch.as_slice());
                let done = self
                    .retried(rules, data, |data, context| self.task(it, data, context))
                    .await?;
                Ok(done.or_next(&it.next))
            }
            State::Map(it) => {
                let rules = (it.retry.as_slice(), it.catch.as_slice());
                let done = self
                    .retried(rules, data, |data, context| self.map(it, data, context))
                    .await?;
                Ok(done.or_next(&it.next))
            }
            State::Parallel(it) => {
                let rules = (it.retry.as_slice(), it.catch.as_slice());
                let done = self
                    .retried(rules, data, |data, context| self.parallel(it, data, context))
                    .await?;
                Ok(done.or_next(&it.next))
            }
        }
    }

    /// Performs a state's task, with its retriers, and continues where a catcher says.
    async fn retried<'w>(
        &self,
        (retriers, catchers): (&[Retrier], &[Catcher]),
        data: Value,
        work: impl Fn(Value, Value) -> LocalBoxFuture<'w, Result<Value, Failure>>,
    ) -> Result<Ended, Failure> {
        let mut attempts = vec![0; retriers.len()];
        loop {
            let context = self.context(attempts.iter().sum());
            let failure = match work(data.clone(), context).await {
                Ok(output) => return Ok(Ended::Well(output)),
                Err(failure) => failure,
            };
            let retrier = retriers.iter().position(|it| failure.is_one_of(&it.error_equals));
            if let Some(at) = retrier
                && attempts[at] < retriers[at].max_attempts
            {
                self.host.sleep(delay(&retriers[at], attempts[at])).await;
                attempts[at] += 1;
                continue;
            }
            let Some(catcher) = catchers.iter().find(|it| failure.is_one_of(&it.error_equals)) else {
                return Err(failure);
            };
            let output = with_result(catcher.result_path.as_deref(), data, failure.caught())?;
            return Ok(Ended::Caught(output, catcher.next.clone()));
        }
    }

    fn task<'w>(&'w self, task: &'w Task, data: Value, context: Value) -> LocalBoxFuture<'w, Result<Value, Failure>> {
        async move {
            let parameters = match &task.parameters {
                Some(parameters) => template::fill(parameters, &data, &context)?,
                None => data.clone(),
            };
            within_limit(self.name, &parameters)?;
            let limit_s = match (&task.timeout_seconds, &task.timeout_seconds_path) {
                (Some(seconds), None) => Some(*seconds),
                (None, Some(at)) => path::get(at, &data, &context)?.as_u64(),
                _ => None,
            };
            let no_limit = || Failure::new("Interpreter.Unsupported", format!("{} has no timeout", self.name));
            let limit = self.host.sleep(Duration::from_secs(limit_s.ok_or_else(no_limit)?));
            let result = tokio::select! {
                biased;
                result = self.host.call(&task.resource, parameters) => result?,
                () = limit => return Err(Failure::new("States.Timeout", "")),
            };
            within_limit(self.name, &result)?;
            selected(task.result_selector.as_ref(), result, &context)
                .and_then(|result| with_result(task.result_path.as_deref(), data, result))
        }
        .boxed_local()
    }

    fn map<'w>(&'w self, map: &'w Map, data: Value, context: Value) -> LocalBoxFuture<'w, Result<Value, Failure>> {
        async move {
            let items = path::get(&map.items_path, &data, &context)?;
            let no_list = || Failure::new("States.Runtime", format!("{} is no list", map.items_path));
            let mut inputs = Vec::new();
            for (index, item) in items.as_array().ok_or_else(no_list)?.iter().enumerate() {
                let mut context = context.clone();
                context["Map"] = json!({"Item": {"Index": index, "Value": item}});
                inputs.push(match &map.item_selector {
                    Some(selector) => template::fill(selector, &data, &context)?,
                    None => item.clone(),
                });
            }
            let at_once = if map.max_concurrency == 0 {
                inputs.len().max(1)
            } else {
                map.max_concurrency
            };
            let mut results = Vec::new();
            // Items run in rounds. Since no machine has more items than may run at once, unless it runs them one by
            // one, the result is the same as in Step Functions.
            for round in inputs.chunks(at_once) {
                let branches = round.iter().cloned();
                let branches = branches.map(|item| run(self.host, &map.item_processor, item, self.execution));
                results.extend(try_join_all(branches).await?);
            }
            selected(map.result_selector.as_ref(), results.into(), &context)
                .and_then(|result| with_result(map.result_path.as_deref(), data, result))
        }
        .boxed_local()
    }

    fn parallel<'w>(
        &'w self,
        it: &'w Parallel,
        data: Value,
        context: Value,
    ) -> LocalBoxFuture<'w, Result<Value, Failure>> {
        async move {
            let branches = it.branches.iter();
            let branches = branches.map(|branch| run(self.host, branch, data.clone(), self.execution));
            let results = try_join_all(branches).await?;
            selected(it.result_selector.as_ref(), results.into(), &context)
                .and_then(|result| with_result(it.result_path.as_deref(), data, result))
        }
        .boxed_local()
    }

    fn context(&self, retry_count: u32) -> Value {
        let state = json!({"Name": self.name, "EnteredTime": self.entered, "RetryCount": retry_count});
        json!({"Execution": self.execution, "State": state})
    }
}

enum Ended {
    Well(Value),
    Caught(Value, String),
}

impl Ended {
    fn or_next(self, next: &Option<String>) -> Done {
        match self {
            Self::Well(output) => (output, next.clone()),
            Self::Caught(output, handler) => (output, Some(handler)),
        }
    }
}

fn selected(selector: Option<&Value>, result: Value, context: &Value) -> Result<Value, Failure> {
    match selector {
        Some(selector) => template::fill(selector, &result, context),
        None => Ok(result),
    }
}

fn with_result(path: Option<&str>, data: Value, result: Value) -> Result<Value, Failure> {
    match path {
        Some(path) => path::put(path, data, result),
        None => Ok(data),
    }
}

fn within_limit(state: &str, data: &Value) -> Result<(), Failure> {
    let bytes = data.to_string().len();
    if bytes > DATA_LIMIT_BYTES {
        let text = format!("{state} has {bytes} bytes of data, and {DATA_LIMIT_BYTES} are allowed");
        return Err(Failure::new("States.DataLimitExceeded", text));
    }
    Ok(())
}

fn delay(retrier: &Retrier, attempts: u32) -> Duration {
    let exponent = i32::try_from(attempts).unwrap_or(i32::MAX);
    let seconds = f64::from(retrier.interval_seconds) * retrier.backoff_rate.powi(exponent);
    let limit = retrier.max_delay_seconds.map_or(f64::INFINITY, f64::from);
    Duration::from_secs_f64(seconds.min(limit))
}
