//! The outcome of a row: how executions ended, what serves, who was notified, and what keeps running.

use super::{BUCKET, USE_CASE, World};
use contracts::places;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What a row is judged by.
#[derive(Clone, Debug, Default)]
pub struct Aftermath {
    /// One line per execution: `training SUCCEEDED: xgboost exported, linear-learner rejected-champion`.
    pub ends: Vec<String>,
    /// `before`, `new` or `none`, for each model if they differ.
    pub serves: String,
    /// Subjects of the notices, without run ids, and events that no function could handle.
    pub told: Vec<String>,
    /// What must not be: an endpoint that isn't its champion's, a lease that is held, a job or an execution without
    /// end.
    pub runs_on: Vec<String>,
}

impl World {
    /// Ends the preparation: whatever happens from now on belongs to the row.
    pub fn mark(&self) {
        let mark = (self.aws.executions().len(), self.aws.published().len());
        self.state.lock().unwrap().mark = mark;
    }

    pub fn aftermath(&self) -> Aftermath {
        let (executions, notices) = self.state.lock().unwrap().mark;
        let run_ids: Vec<String> = self.aws.executions().into_iter().map(|it| it.name).collect();
        let told = self.aws.published().into_iter().skip(notices);
        Aftermath {
            ends: self.ends(executions),
            serves: self.serves(&run_ids[executions..]),
            // Dead letters are included, since the alarm on their queue notifies people.
            told: told
                .map(|it| without_ids(&it.subject.unwrap_or_default()))
                .chain(self.state.lock().unwrap().dead_letters.iter().cloned())
                .collect(),
            runs_on: self.runs_on(),
        }
    }

    fn ends(&self, since: usize) -> Vec<String> {
        let executions = self.aws.executions();
        let lines = executions.iter().skip(since).filter_map(|execution| {
            let machine = execution.state_machine_arn.rsplit('-').next().unwrap_or_default();
            let mut line = format!("{machine} {}", execution.status);
            let mut said = Vec::new();
            for model in MODELS {
                let run = execution.name.clone();
                let key = format!("{USE_CASE}/runs/{run}/decisions/{model}.json");
                if let Some(decision) = self.aws.object_json(BUCKET, &key) {
                    said.push(format!(
                        "{model} {}",
                        decision["decision"].as_str().unwrap_or("undecided")
                    ));
                }
            }
            let state = self.state.lock().unwrap();
            let ended = state.ended.iter().find(|ended| ended.arn == execution.arn);
            if let (true, Some(ended)) = (said.is_empty(), ended) {
                match &ended.failure {
                    Some(failure) if !failure.error.is_empty() => said.push(failure.error.clone()),
                    _ => said.extend(ended.output["outcome"].as_str().map(str::to_owned)),
                }
            }
            // A monitoring run without new data is left out.
            if said.is_empty() && line == "monitor SUCCEEDED" {
                return None;
            }
            if !said.is_empty() {
                let _ = write!(line, ": {}", said.join(", "));
            }
            Some(line)
        });
        lines.collect()
    }

    /// The champion of a model.
    pub fn champion(&self, model: &str) -> Option<Value> {
        self.aws
            .object_json(BUCKET, &places::use_case::champion(USE_CASE, model))
    }

    /// Whether the use case's document names a model.
    fn is_onboard(&self, model: &str) -> bool {
        let document = self.aws.object_json(BUCKET, &places::use_case::config(USE_CASE));
        let models = document
            .iter()
            .flat_map(|it| it["models"].as_array().into_iter().flatten());
        models.into_iter().any(|it| it["name"] == model)
    }

    fn serves(&self, new: &[String]) -> String {
        let mut models = BTreeMap::new();
        for model in MODELS {
            // The endpoint of a model that the document doesn't name is not used.
            let champion = self.champion(model).filter(|_| self.is_onboard(model));
            let run = champion.as_ref().and_then(|it| it["run_id"].as_str());
            let which = match run {
                None => "none",
                Some(run) if new.iter().any(|it| it == run) => "new",
                Some(_) => "before",
            };
            models.insert(model, which);
        }
        let first = models.values().next().copied().unwrap_or("none");
        if models.values().all(|it| *it == first) {
            return first.to_owned();
        }
        let each = models.iter().map(|(model, which)| format!("{model} {which}"));
        each.collect::<Vec<_>>().join(", ")
    }

    /// Violations of the invariants that hold after every row.
    fn runs_on(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut owned = Vec::new();
        for key in self.aws.keys(BUCKET, places::use_case::ALL) {
            let Some(document) = self
                .aws
                .object(BUCKET, &key)
                .and_then(|it| serde_json::from_slice::<Value>(&it).ok())
            else {
                continue;
            };
            let text = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
            if key.ends_with("/champion.json") && self.is_onboard(&text("model")) {
                let (name, config) = (text("endpoint_name"), text("endpoint_config"));
                let endpoints = self.sagemaker.endpoints();
                match endpoints.iter().find(|(it, _)| *it == name) {
                    None => wrong.push(format!("{key} names endpoint {name}, which is not there")),
                    Some((_, endpoint)) if endpoint.config != config || endpoint.status != "InService" => {
                        wrong.push(format!(
                            "{name} is {} on {}, and its champion is {config}",
                            endpoint.status, endpoint.config
                        ));
                    }
                    Some(_) => {}
                }
                owned.push(name);
            }
            if key.ends_with("/lease") {
                let expires = document["expires_at"]
                    .as_str()
                    .and_then(|it| it.parse::<jiff::Timestamp>().ok());
                if expires.is_none_or(|it| it > self.clock.now()) {
                    wrong.push(format!("{key} is held: {document}"));
                }
            }
        }
        for notice in self.aws.published() {
            let subject = notice.subject.unwrap_or_default();
            if subject.chars().any(char::is_control) || notice.message.chars().any(|it| it != '\n' && it.is_control()) {
                wrong.push(format!("the mail `{subject}` holds control characters"));
            }
        }
        let strays = self
            .sagemaker
            .endpoints()
            .into_iter()
            .filter(|(name, _)| !owned.contains(name));
        wrong.extend(strays.map(|(name, it)| format!("endpoint {name} is {} and nobody's", it.status)));
        wrong.extend(
            self.sagemaker
                .jobs_at_work()
                .into_iter()
                .map(|it| format!("job {it} is at work")),
        );
        let executions = self.aws.executions().into_iter().filter(|it| it.status == "RUNNING");
        wrong.extend(executions.map(|it| format!("execution {} runs", it.arn)));
        wrong
    }
}

pub const MODELS: [&str; 2] = ["xgboost", "linear-learner"];

/// A subject without `[drivetrain] cars: ` and without run ids, which differ with every change of the simulation.
fn without_ids(subject: &str) -> String {
    let stack = format!("[drivetrain] {USE_CASE}: ");
    let words = subject.strip_prefix(&stack).unwrap_or(subject).split(' ');
    let is_run = |word: &str| {
        let word = word.trim_end_matches([':', ',', '.']);
        word.len() >= 20 && word.get(15..17) == Some("z-") && word[..8].bytes().all(|it| it.is_ascii_digit())
    };
    words
        .map(|word| if is_run(word) { "R" } else { word })
        .collect::<Vec<_>>()
        .join(" ")
}
