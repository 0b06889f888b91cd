//! Where the parts of a deployed platform are, as the template writes it into parameters.

use super::{Target, describe};
use crate::local;
use anyhow::{Context, Result};
use contracts::command::DEFAULT_STACK;
use serde::{Deserialize, Serialize};

/// The parts of a deployed platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    /// The bucket that holds everything.
    pub bucket: String,
    /// ARN of the topic of notices.
    pub topic_arn: String,
    /// The REST API's id.
    pub api_id: String,
    /// Its URL on AWS.
    pub api_url: String,
    /// The id of its API key.
    pub api_key_id: String,
    /// ARN of the training machine.
    pub training_state_machine_arn: String,
    /// ARN of the batch-scoring machine.
    pub scoring_state_machine_arn: String,
    /// ARN of the monitoring machine.
    pub monitor_state_machine_arn: String,
    /// URL of the queue of events that could not be delivered.
    pub undelivered_events_url: String,
    /// URL of the queue of calls that failed for good.
    pub function_failures_url: String,
}

impl Target {
    /// Reads where the parts of the platform are, from the parameters that the template writes.
    ///
    /// # Errors
    /// Nothing is deployed under the stack's name, or Parameter Store can't be read.
    pub async fn platform(&self) -> Result<Platform> {
        let root = format!("/drivetrain/{}/platform/", self.stack);
        let path = root.trim_end_matches('/');
        let mut pages = self.ssm().get_parameters_by_path().path(path).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| describe("GetParametersByPath", error))?;
            found.extend(page.parameters.unwrap_or_default());
        }
        let value = |name: &str| {
            let full = format!("{root}{name}");
            let parameter = found.iter().find(|parameter| parameter.name() == Some(&full));
            let value = parameter.and_then(|parameter| parameter.value()).map(str::to_owned);
            value.with_context(|| self.not_deployed(&full))
        };
        Ok(Platform {
            bucket: value("bucket")?,
            topic_arn: value("topic-arn")?,
            api_id: value("api-id")?,
            api_url: value("api-url")?,
            api_key_id: value("api-key-id")?,
            training_state_machine_arn: value("training-state-machine-arn")?,
            scoring_state_machine_arn: value("scoring-state-machine-arn")?,
            monitor_state_machine_arn: value("monitor-state-machine-arn")?,
            undelivered_events_url: value("undelivered-events-url")?,
            function_failures_url: value("function-failures-url")?,
        })
    }

    fn not_deployed(&self, parameter: &str) -> String {
        let hint = match (&self.local, self.region()) {
            (Some(state), _) => {
                let (instance, up) = (state.name(), local::up(&state.name()));
                match &state.deployed {
                    Some(deployed) if deployed.stack != self.stack => format!(
                        "the local stack `{instance}` has stack `{}`: name that by `--stack`, or leave DRIVETRAIN_STACK and \
                         `--stack` out",
                        deployed.stack
                    ),
                    None if self.stack != DEFAULT_STACK => {
                        format!("nothing is deployed yet, and `{up}` deploys stack `{DEFAULT_STACK}`")
                    }
                    _ => format!("`{up}` deploys it"),
                }
            }
            (None, region) => format!(
                "check `--stack`, `--profile` and `--region` ({region} now), or deploy it with `sam build && sam deploy`"
            ),
        };
        format!(
            "{} is not deployed here (it has no parameter {parameter}): {hint}",
            self.title()
        )
    }
}

impl Platform {
    /// A platform of which only the bucket is there.
    #[cfg(test)]
    pub(crate) fn of_tests(bucket: &str) -> Self {
        let none = String::new;
        Self {
            bucket: bucket.to_owned(),
            topic_arn: none(),
            api_id: none(),
            api_url: none(),
            api_key_id: none(),
            training_state_machine_arn: none(),
            scoring_state_machine_arn: none(),
            monitor_state_machine_arn: none(),
            undelivered_events_url: none(),
            function_failures_url: none(),
        }
    }

    /// The URL of the prediction API, as it is reachable from this machine.
    pub fn reachable_api_url(&self, target: &Target) -> String {
        match &target.local {
            // The host name that the template writes exists only on AWS; the last part of its path is the stage.
            Some(state) => {
                let stage = self.api_url.rsplit('/').next().unwrap_or_default();
                format!("{}/_aws/execute-api/{}/{stage}", state.endpoint(), self.api_id)
            }
            None => self.api_url.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_stack_that_is_not_on_the_local_one_is_told_with_what_is_there_or_deploys_it() {
        let said = |stack: &str, deployed: Option<&str>| {
            let deployed = deployed.map(|it| json!({"stack": it, "fingerprint": "f", "at": "2026-11-22T18:30:00Z"}));
            let state = json!({
                "started_at": "2026-11-22T18:30:00Z", "folder": "/checkout/target/local/second", "localstack_port": 4566,
                "sagemaker_port": 4570, "processes": [], "deployed": deployed,
            });
            Target::local(serde_json::from_value(state).unwrap(), stack).not_deployed("/x")
        };
        let other = said("nope", Some("drivetrain"));
        assert!(
            other.contains("the local stack `second` has stack `drivetrain`: name that"),
            "{other}"
        );
        let none = said("drivetrain", None);
        assert!(
            none.ends_with("`cargo xtask --instance second up` deploys it"),
            "{none}"
        );
        let neither = said("nope", None);
        assert!(
            neither.ends_with("`cargo xtask --instance second up` deploys stack `drivetrain`"),
            "{neither}"
        );
    }
}
