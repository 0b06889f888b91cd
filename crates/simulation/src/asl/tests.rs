//! What the interpreter has in common with Step Functions.

use super::{Failure, Host, Machine, run};
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Answers calls from a list, and records them.
#[derive(Default)]
struct Scripted {
    answers: Mutex<Vec<Result<Value, Failure>>>,
    calls: Mutex<Vec<Value>>,
    slept: Mutex<Vec<u64>>,
}

impl Host for Scripted {
    fn call<'a>(&'a self, _: &'a str, parameters: Value) -> LocalBoxFuture<'a, Result<Value, Failure>> {
        self.calls.lock().unwrap().push(parameters);
        let answer = self.answers.lock().unwrap().remove(0);
        async move {
            match answer {
                Err(failure) if failure.error == "never" => std::future::pending().await,
                answer => answer,
            }
        }
        .boxed_local()
    }

    /// Returns at once: whatever it is raced with has already come first.
    fn sleep(&self, time: Duration) -> LocalBoxFuture<'static, ()> {
        self.slept.lock().unwrap().push(time.as_secs());
        std::future::ready(()).boxed_local()
    }

    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn entered<'a>(&'a self, _: &'a str, _: &'a Value) -> LocalBoxFuture<'a, ()> {
        std::future::ready(()).boxed_local()
    }
}

fn play(
    machine: &Value,
    input: Value,
    answers: Vec<Result<Value, Failure>>,
) -> (Result<Value, Failure>, Arc<Scripted>) {
    let scripted = Arc::new(Scripted {
        answers: Mutex::new(answers),
        ..Scripted::default()
    });
    let host: Arc<dyn Host> = scripted.clone();
    let machine = Machine::parse(&machine.to_string()).unwrap();
    let ended = futures::executor::block_on(run(&host, &machine, input, &json!({"Name": "e"})));
    (ended, scripted)
}

#[allow(clippy::needless_pass_by_value, reason = "callers make it on the spot")]
fn task(more: Value) -> Value {
    let mut task = json!({"Type": "Task", "Resource": "r", "TimeoutSeconds": 9, "End": true});
    task.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"StartAt": "T", "States": {
        "T": task,
        "Caught": {"Type": "Pass", "End": true},
    }})
}

fn failed(error: &str) -> Result<Value, Failure> {
    Err(Failure::new(error, "c"))
}

#[test]
fn retries_wait_longer_each_time_and_count_into_the_name() {
    let retry = json!([
        {"ErrorEquals": ["A"], "IntervalSeconds": 3, "BackoffRate": 2, "MaxAttempts": 3, "MaxDelaySeconds": 8},
        {"ErrorEquals": ["B"], "IntervalSeconds": 100, "MaxAttempts": 1},
    ]);
    let parameters = json!({"n.$": "States.Format('j-{}', $$.State.RetryCount)"});
    let answers = vec![failed("A"), failed("A"), failed("B"), failed("A"), Ok(json!(1))];
    let (ended, scripted) = play(
        &task(json!({"Retry": retry, "Parameters": parameters})),
        json!({}),
        answers,
    );
    assert_eq!(ended, Ok(json!(1)));
    let names: Vec<Value> = scripted
        .calls
        .lock()
        .unwrap()
        .iter()
        .map(|it| it["n"].clone())
        .collect();
    assert_eq!(names, ["j-0", "j-1", "j-2", "j-3", "j-4"]);
    let slept: Vec<u64> = scripted
        .slept
        .lock()
        .unwrap()
        .iter()
        .copied()
        .filter(|it| *it != 9)
        .collect();
    assert_eq!(slept, [3, 6, 100, 8]);
}

#[test]
fn catchers_keep_the_input_and_the_wildcards_their_limits() {
    let catch = json!([{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Caught"}]);
    let machine = task(json!({"Catch": catch}));
    let (ended, _) = play(&machine, json!({"a": 1}), vec![failed("X")]);
    assert_eq!(ended, Ok(json!({"a": 1, "error": {"Error": "X", "Cause": "c"}})));
    let (ended, _) = play(&machine, json!({}), vec![failed("never")]);
    assert_eq!(ended.unwrap()["error"]["Error"], "States.Timeout");
    for final_one in ["States.Runtime", "States.DataLimitExceeded"] {
        let (ended, _) = play(&machine, json!({}), vec![failed(final_one)]);
        assert_eq!(ended.unwrap_err().error, final_one);
    }
    let catch = json!([{"ErrorEquals": ["States.TaskFailed"], "Next": "Caught"}]);
    let machine = task(json!({"Catch": catch}));
    assert!(play(&machine, json!({}), vec![failed("X")]).0.is_ok());
    assert_eq!(
        play(&machine, json!({}), vec![failed("never")]).0.unwrap_err().error,
        "States.Timeout"
    );
}

#[test]
fn a_path_that_is_not_there_ends_the_execution() {
    let catch = json!([{"ErrorEquals": ["States.ALL"], "Next": "Caught"}]);
    let machine = task(json!({"Parameters": {"a.$": "$.missing"}, "Catch": catch}));
    assert_eq!(
        play(&machine, json!({}), Vec::new()).0.unwrap_err().error,
        "States.Runtime"
    );
    let long = "x".repeat(300_000);
    let (ended, _) = play(&task(json!({})), json!({}), vec![Ok(json!(long))]);
    assert_eq!(ended.unwrap_err().error, "States.DataLimitExceeded");
}

#[test]
fn results_are_selected_and_put() {
    let selected = json!({"ResultSelector": {"x.$": "$.deep.value"}, "ResultPath": "$.result"});
    let (ended, _) = play(
        &task(selected),
        json!({"a": 1}),
        vec![Ok(json!({"deep": {"value": 7}}))],
    );
    assert_eq!(ended, Ok(json!({"a": 1, "result": {"x": 7}})));
    let (ended, _) = play(&task(json!({"ResultPath": null})), json!({"a": 1}), vec![Ok(json!(2))]);
    assert_eq!(ended, Ok(json!({"a": 1})));
}

#[test]
fn branches_run_side_by_side_and_one_that_fails_ends_the_state() {
    let branch = json!({"StartAt": "T", "States": {
        "T": {"Type": "Task", "Resource": "r", "TimeoutSeconds": 9, "Parameters": {"v.$": "$"}, "End": true},
    }});
    let map = json!({"StartAt": "M", "States": {"M": {
        "Type": "Map", "ItemsPath": "$.items", "ItemProcessor": branch, "ResultPath": "$.out", "End": true,
    }}});
    let (ended, scripted) = play(&map, json!({"items": [1, 2]}), vec![Ok(json!("a")), Ok(json!("b"))]);
    assert_eq!(ended.unwrap()["out"], json!(["a", "b"]));
    assert_eq!(*scripted.calls.lock().unwrap(), [json!({"v": 1}), json!({"v": 2})]);
    let (ended, _) = play(&map, json!({"items": [1, 2]}), vec![failed("X"), Ok(json!("b"))]);
    assert_eq!(ended.unwrap_err().error, "X");
}

#[test]
fn choices_stop_at_the_first_that_holds() {
    let machine = json!({"StartAt": "C", "States": {
        "C": {"Type": "Choice", "Choices": [
            {"And": [{"Variable": "$.a", "BooleanEquals": true}, {"Variable": "$.b.c", "StringEquals": "x"}], "Next": "S"},
            {"Variable": "$.n", "NumericLessThan": 3, "Next": "F"},
        ], "Default": "S"},
        "S": {"Type": "Succeed", "OutputPath": "$.a"},
        "F": {"Type": "Fail", "Error": "Low", "CausePath": "States.JsonToString($.n)"},
    }});
    assert_eq!(
        play(&machine, json!({"a": true, "b": {"c": "x"}}), vec![]).0,
        Ok(json!(true))
    );
    assert_eq!(
        play(&machine, json!({"a": false, "n": 2}), vec![]).0,
        Err(Failure::new("Low", "2"))
    );
    assert_eq!(play(&machine, json!({"a": false, "n": 5}), vec![]).0, Ok(json!(false)));
}

#[test]
fn what_is_not_known_is_refused() {
    for broken in [
        json!({"StartAt": "T", "States": {"T": {"Type": "Pass", "End": true, "Surprise": 1}}}),
        json!({"StartAt": "T", "States": {"T": {"Type": "Pass", "Next": "Nowhere"}}}),
        json!({"StartAt": "T", "States": {"T": {"Type": "Activity", "End": true}}}),
        json!({"StartAt": "T", "States": {"T": {"Type": "Pass"}}}),
        json!({"StartAt": "T", "QueryLanguage": "JSONata", "States": {"T": {"Type": "Pass", "End": true}}}),
        json!({"StartAt": "C", "States": {"C": {"Type": "Choice", "Choices": [
            {"Variable": "$.a", "StringMatches": "x*", "Next": "C"}], "Default": "C"}}}),
    ] {
        assert!(Machine::parse(&broken.to_string()).is_err(), "{broken}");
    }
}
