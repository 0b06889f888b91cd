//! A test's own use case, and its runs.

use crate::data;
use crate::stack::{Answer, Mail, Put, Stack, instances};
use crate::wait;
use aws_sdk_sfn::error::ProvideErrorMetadata;
use aws_sdk_sfn::types::{ExecutionStatus, HistoryEvent};
use contracts::places::{self, RunPlaces};
use contracts::{Champion, Decision, Manifest, RunId, Verdict, names};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::time::Duration;

/// How many of the last failures of an execution a panic shows.
const SHOWN_FAILURES: usize = 5;

/// A use case that no other test uses.
#[derive(Clone)]
pub struct Case {
    pub stack: Stack,
    /// At most 14 characters, so that SageMaker's names have room for all of it.
    pub id: String,
    pub recipient: String,
}

/// A drop, with the run that it starts.
pub struct Run {
    pub id: RunId,
    pub key: String,
    pub put: Put,
}

/// A run that has ended.
#[derive(Debug)]
pub struct Ended {
    /// The decisions, by model.
    pub decisions: BTreeMap<String, Decision>,
    pub stopped_at_ms: i64,
    pub status: ExecutionStatus,
    /// The last failures, to be shown by panics.
    pub story: String,
}

impl Case {
    /// Stores a document of `documents/` as a new use case; `word` makes its id readable.
    pub async fn new(word: &str, document: &str) -> Self {
        Self::with(word, document, &[]).await
    }

    /// The same, with parts of the document's text replaced.
    pub async fn with(word: &str, document: &str, changes: &[(&str, &str)]) -> Self {
        let case = Self::unknown(word).await;
        case.onboard(document, changes).await;
        case
    }

    /// A use case whose document is not stored yet.
    pub async fn unknown(word: &str) -> Self {
        // RandomState is seeded in every process, and counts up within it.
        let unique = RandomState::new().hash_one(std::process::id());
        let id = format!("{word}-{:06x}", unique & 0xff_ffff);
        Self {
            stack: Stack::connect().await,
            recipient: format!("{id}@example.com"),
            id,
        }
    }

    /// Stores the document, as people do.
    pub async fn onboard(&self, document: &str, changes: &[(&str, &str)]) {
        let source = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("end_to_end/documents")
            .join(document);
        let mut text = std::fs::read_to_string(source).unwrap();
        let own = [("USE_CASE", self.id.as_str()), ("RECIPIENT", self.recipient.as_str())];
        for (from, to) in own.iter().chain(changes) {
            assert!(text.contains(from), "{document} has no `{from}`");
            text = text.replace(from, to);
        }
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.yaml", self.id));
        std::fs::write(&file, text).unwrap();
        let said = self.stack.drivetrain(&["onboard", file.to_str().unwrap()]).await;
        assert!(said.success, "{}", said.stderr);
    }

    /// Drops a file for training.
    pub async fn drop(&self, name: &str, body: impl Into<Vec<u8>>) -> Run {
        let key = format!("{}/training/incoming/{name}", self.id);
        let put = self.stack.put(&key, body).await;
        Run {
            id: RunId::for_drop(put.last_modified, &self.stack.bucket, &key, &put.version_id),
            key,
            put,
        }
    }

    /// Drops the first `count` cars as training data, and waits until the run has succeeded.
    pub async fn trained(&self, name: &str, count: usize) -> (Run, Ended) {
        let run = self.drop(name, data::cars(count)).await;
        let ended = self.succeeded(&run.id).await;
        (run, ended)
    }

    /// Waits until a training run has succeeded.
    pub async fn succeeded(&self, run: &RunId) -> Ended {
        self.ended(&self.stack.machine_arn, run, &ExecutionStatus::Succeeded)
            .await
    }

    /// Waits until a training run has failed.
    pub async fn failed(&self, run: &RunId) -> Ended {
        self.ended(&self.stack.machine_arn, run, &ExecutionStatus::Failed).await
    }

    /// Waits until a run of a machine has ended; panics with its last failures if it did not end with the wanted
    /// status.
    pub async fn ended(&self, machine_arn: &str, run: &RunId, wanted: &ExecutionStatus) -> Ended {
        self.ended_within(machine_arn, run, wanted, wait::RUN).await
    }

    /// The same for a run that may take longer.
    pub async fn ended_within(
        &self,
        machine_arn: &str,
        run: &RunId,
        wanted: &ExecutionStatus,
        limit: Duration,
    ) -> Ended {
        let ended = self.ended_somehow(machine_arn, run, limit).await;
        assert_eq!(&ended.status, wanted, "{}\n{:#?}", ended.story, ended.decisions);
        ended
    }

    /// Waits until a run of a machine has ended, with any status.
    pub async fn ended_somehow(&self, machine_arn: &str, run: &RunId, limit: Duration) -> Ended {
        let arn = execution_arn(machine_arn, run);
        let describe = async || {
            let request = self.stack.executions.describe_execution().execution_arn(&arn);
            match request.send().await {
                Ok(execution) => Some(execution),
                Err(error) if error.code() == Some("ExecutionDoesNotExist") => None,
                Err(error) => panic!("DescribeExecution: {error:?}"),
            }
        };
        wait::until(&format!("run {run} of {} is started", self.id), wait::MOMENT, describe).await;
        let deadline = tokio::time::Instant::now() + limit;
        loop {
            let execution = describe().await.unwrap();
            if execution.status != ExecutionStatus::Running {
                return Ended {
                    decisions: self.decisions(run).await,
                    stopped_at_ms: execution.stop_date.unwrap().to_millis().unwrap(),
                    status: execution.status,
                    story: self.story(&arn).await,
                };
            }
            if tokio::time::Instant::now() > deadline {
                // A test that gives up must not leave a run behind.
                let stop = self.stack.executions.stop_execution().execution_arn(&arn);
                stop.cause("the test gave up").send().await.unwrap();
                panic!(
                    "run {run} has not ended in {} s; {}",
                    limit.as_secs(),
                    self.story(&arn).await
                );
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// The decisions of a run, by model.
    pub async fn decisions(&self, run: &RunId) -> BTreeMap<String, Decision> {
        let mut decisions = BTreeMap::new();
        for key in self.stack.keys(&format!("{}decisions/", self.places(run).root())).await {
            let decision: Decision = self.stack.document(&key).await.unwrap();
            decisions.insert(decision.run.model.clone(), decision);
        }
        decisions
    }

    /// The runs started by drops of this use case, in order.
    pub async fn manifests(&self) -> Vec<Manifest> {
        let mut manifests = Vec::new();
        for key in self.stack.keys(&format!("{}/runs/", self.id)).await {
            if key.ends_with("/run.json") {
                manifests.push(self.stack.document(&key).await.unwrap());
            }
        }
        manifests.sort_by(|one: &Manifest, other| one.run_id.cmp(&other.run_id));
        manifests
    }

    /// The number of executions of a run: those named after it.
    pub async fn executions(&self, run: &RunId) -> usize {
        let request = self
            .stack
            .executions
            .list_executions()
            .state_machine_arn(&self.stack.machine_arn);
        let pages = request
            .into_paginator()
            .send()
            .collect::<Result<Vec<_>, _>>()
            .await
            .unwrap();
        let all = pages.iter().flat_map(|page| &page.executions);
        all.filter(|execution| execution.name.starts_with(&run.to_string()))
            .count()
    }

    /// The champion of a model.
    pub async fn champion(&self, model: &str) -> Option<Champion> {
        self.stack.document(&places::use_case::champion(&self.id, model)).await
    }

    /// A parameter of a model.
    pub async fn parameter(&self, model: &str, name: &str) -> Option<String> {
        let name = places::parameters::model(&self.stack.name, &self.id, model, name);
        self.stack.parameter(&name).await
    }

    /// The beginning of the names of a model's resources in a run.
    pub fn names_of(&self, model: &str, run: &RunId) -> String {
        names::of_model_run(&self.stack.name, &self.id, model, run)
    }

    /// SageMaker's description of an endpoint.
    pub async fn endpoint(&self, name: &str) -> Value {
        self.stack
            .sagemaker("DescribeEndpoint", &json!({"EndpointName": name}))
            .await
    }

    /// Requests the prediction of one car.
    pub async fn predict(&self) -> Answer {
        self.predict_json(&[data::car()]).await
    }

    /// Requests predictions.
    pub async fn predict_json(&self, cars: &[Value]) -> Answer {
        self.stack
            .predict(&self.id, "application/json", instances(cars), None)
            .await
    }

    /// Waits for a mail to this use case's recipient.
    pub async fn mail(&self, what: &str, is_it: impl Fn(&Mail) -> bool) -> Mail {
        let what = format!("{what}, mailed to {}", self.recipient);
        wait::until(&what, wait::MOMENT, async || {
            self.mails().into_iter().find(|mail| is_it(mail))
        })
        .await
    }

    /// Waits for the mail about a run's end.
    pub async fn end_mail(&self, run: &RunId) -> Mail {
        let begin = format!("[drivetrain] {}: run {run} ", self.id);
        self.mail(&format!("the end of run {run}"), |mail| {
            mail.subject.starts_with(&begin)
        })
        .await
    }

    /// The mails to this use case's recipient.
    pub fn mails(&self) -> Vec<Mail> {
        let mails = self.stack.mails().into_iter();
        mails.filter(|mail| mail.to == self.recipient).collect()
    }

    /// Ends a test: checks that no run is left running, and deletes the endpoints to free the machine.
    pub async fn finish(self) {
        for manifest in self.manifests().await {
            if let Some(arn) = &manifest.execution_arn {
                let request = self.stack.executions.describe_execution().execution_arn(arn);
                let status = request.send().await.unwrap().status;
                assert_ne!(
                    status,
                    ExecutionStatus::Running,
                    "run {} is left running",
                    manifest.run_id
                );
            }
        }
        // From here on its endpoints are unused: no tick creates them again.
        let pointer = places::parameters::config(&self.stack.name, &self.id);
        let gone = self.stack.parameters.delete_parameter().name(pointer);
        gone.send().await.unwrap();
        let request = json!({"NameContains": format!("{}--{}-", self.stack.name, self.id)});
        let listed = self.stack.sagemaker("ListEndpoints", &request).await;
        for endpoint in listed["Endpoints"].as_array().unwrap() {
            let request = json!({"EndpointName": endpoint["EndpointName"]});
            self.stack.sagemaker("DeleteEndpoint", &request).await;
        }
    }

    /// The places of a run's files.
    pub fn places<'a>(&'a self, run_id: &'a RunId) -> RunPlaces<'a> {
        RunPlaces {
            use_case: &self.id,
            run_id,
        }
    }

    /// The state of an execution, with its last failures.
    async fn story(&self, arn: &str) -> String {
        let request = self.stack.executions.get_execution_history().execution_arn(arn);
        let history = request.reverse_order(true).max_results(300).send().await.unwrap();
        let entered = history
            .events
            .iter()
            .find_map(|event| event.state_entered_event_details.as_ref());
        let failures: Vec<String> = history.events.iter().filter_map(failure).take(SHOWN_FAILURES).collect();
        format!(
            "last state entered: {}; last failures:\n{}",
            entered.map_or("none", |details| details.name.as_str()),
            failures.join("\n")
        )
    }
}

impl Ended {
    /// A model's decision document.
    pub fn decision(&self, model: &str) -> &Decision {
        let decision = self.decisions.get(model);
        decision.unwrap_or_else(|| panic!("no decision on {model}; {}", self.story))
    }

    /// The verdict on a model.
    pub fn verdict(&self, model: &str) -> Verdict {
        let decision = self.decision(model);
        decision
            .decision
            .unwrap_or_else(|| panic!("{decision:#?} is undecided; {}", self.story))
    }

    /// Asserts the verdict on every model.
    pub fn decided(&self, expected: &[(&str, Verdict)]) {
        let expected: BTreeMap<&str, Verdict> = expected.iter().copied().collect();
        let found: BTreeMap<&str, Verdict> = self
            .decisions
            .keys()
            .map(|model| (model.as_str(), self.verdict(model)))
            .collect();
        assert_eq!(found, expected, "{}\n{:#?}", self.story, self.decisions);
    }
}

/// The ARN of a run's execution of a machine: executions are named after their runs.
pub fn execution_arn(machine_arn: &str, run: &RunId) -> String {
    format!("{}:{run}", machine_arn.replacen(":stateMachine:", ":execution:", 1))
}

/// The failure that an event of an execution reports, if any.
fn failure(event: &HistoryEvent) -> Option<String> {
    let said = |error: &Option<String>, cause: &Option<String>| {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Some(format!("  {} {}: {}", event.r#type, text(error), text(cause)))
    };
    if let Some(it) = &event.execution_failed_event_details {
        return said(&it.error, &it.cause);
    }
    if let Some(it) = &event.task_failed_event_details {
        return said(&it.error, &it.cause);
    }
    if let Some(it) = &event.task_submit_failed_event_details {
        return said(&it.error, &it.cause);
    }
    if let Some(it) = &event.lambda_function_failed_event_details {
        return said(&it.error, &it.cause);
    }
    if let Some(it) = &event.task_timed_out_event_details {
        return said(&it.error, &it.cause);
    }
    None
}
