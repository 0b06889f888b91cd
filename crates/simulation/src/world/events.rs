//! EventBridge: which function gets which event. The rules are the template's; a test compares them.

use super::names::{BUCKET, STACK, USE_CASE};
use super::state::{Ended, World};
use crate::faults::Effect;
use contracts::places::Table;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The delays after which Lambda calls a function again that failed on an event.
const RETRIES: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(120)];

impl World {
    /// Sends the event that S3 sends when a file is in the bucket.
    pub fn dropped(self: &Arc<Self>, key: &str, version_id: &str) {
        let object = json!({"key": key, "version-id": version_id});
        let detail = json!({"bucket": {"name": BUCKET}, "object": object});
        self.deliver("start-run", "aws.s3", "Object Created", &detail);
    }

    /// From now on, S3 sends an event for each written file with rows of runs. It doesn't from the beginning: the dashboards
    /// that are made then would take most of the matrix's time.
    pub fn send_events_of_rows(&self) {
        let versions = self.versions_of_rows();
        self.state.lock().unwrap().rows_sent = Some(versions);
    }

    /// Sends the events of rows that were written since the last call.
    pub(super) fn tell_of_rows(self: &Arc<Self>) {
        let Some(sent) = self.state.lock().unwrap().rows_sent.clone() else {
            return;
        };
        let versions = self.versions_of_rows();
        self.state.lock().unwrap().rows_sent = Some(versions.clone());
        for (key, _) in versions.iter().filter(|(key, count)| sent.get(*key) != Some(*count)) {
            let detail = json!({"bucket": {"name": BUCKET}, "object": {"key": key}});
            self.deliver("refresh-dashboard", "aws.s3", "Object Created", &detail);
        }
    }

    /// The number of versions of each file with rows of runs, by key.
    fn versions_of_rows(&self) -> BTreeMap<String, usize> {
        let keys = self.aws.keys(BUCKET, &Table::Runs.folder(USE_CASE)).into_iter();
        keys.map(|key| {
            let versions = self.aws.version_ids(BUCKET, &key).len();
            (key, versions)
        })
        .collect()
    }

    /// A tick of the schedule.
    pub(super) fn tick(self: &Arc<Self>) {
        self.deliver("start-run", "aws.events", "Scheduled Event", &json!({}));
        self.bring("check-endpoint", &json!({"mode": "reconcile"}));
    }

    /// Delivers an entry of PutEvents.
    pub(super) fn publish(self: &Arc<Self>, entry: &Value) {
        let text = |name: &str| entry[name].as_str().unwrap_or_default();
        let ours = text("Source") == format!("drivetrain.{STACK}");
        if ours && ["Champion Exported", "Drift Detected"].contains(&text("DetailType")) {
            self.deliver("start-run", text("Source"), text("DetailType"), &entry["Detail"]);
        }
    }

    /// Sends the event of an execution's end.
    pub(super) fn tell_of_end(self: &Arc<Self>, ended: &Ended) {
        let executions = self.aws.executions();
        let Some(execution) = executions.iter().find(|it| it.arn == ended.arn) else {
            return;
        };
        let now_ms = self.clock.now().as_millisecond();
        let failure = ended.failure.as_ref().filter(|it| !it.error.is_empty());
        let detail = json!({
            "executionArn": ended.arn,
            "stateMachineArn": execution.state_machine_arn,
            "name": execution.name,
            "status": ended.status,
            "startDate": now_ms,
            "stopDate": now_ms,
            "input": execution.input.to_string(),
            "output": ended.output.to_string(),
            "error": failure.map(|it| it.error.as_str()),
            "cause": failure.map(|it| it.cause.as_str()),
        });
        if execution.state_machine_arn.ends_with("-training") {
            self.deliver(
                "start-run",
                "aws.states",
                "Step Functions Execution Status Change",
                &detail,
            );
        }
        self.deliver(
            "notify-run",
            "aws.states",
            "Step Functions Execution Status Change",
            &detail,
        );
    }

    fn deliver(self: &Arc<Self>, function: &'static str, source: &str, detail_type: &str, detail: &Value) {
        let event = json!({
            "source": source,
            "detail-type": detail_type,
            "time": self.clock.now().to_string(),
            "detail": detail,
        });
        self.bring(function, &event);
    }

    /// Delivers an event to a function, with Lambda's retries; if all fail, the event becomes a dead letter.
    fn bring(self: &Arc<Self>, function: &'static str, event: &Value) {
        let copies = match self.faults.take("event", &event.to_string()) {
            Some(Effect::Lost) => 0,
            Some(Effect::Doubled) => 2,
            _ => 1,
        };
        for _ in 0..copies {
            let (world, event) = (self.clone(), event.clone());
            self.clock.spawn(async move {
                let mut retries = RETRIES.into_iter();
                while let Err(failure) = world.invoke(function, event.clone()).await {
                    let Some(pause) = retries.next() else {
                        let letter = format!("dead letter of {function}: {}", failure.error);
                        world.state.lock().unwrap().dead_letters.push(letter);
                        return;
                    };
                    world.clock.sleep(pause).await;
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    /// The rules that are written by hand here are those of the template.
    #[test]
    fn the_template_has_these_rules() {
        let template = include_str!("../../../../template.yaml");
        let resource = |name: &str| {
            let begin = template
                .find(&format!("\n  {name}:\n"))
                .unwrap_or_else(|| panic!("no {name}"));
            let rest = &template[begin + 1..];
            let end = rest
                .match_indices("\n  ")
                .find(|(at, _)| rest.as_bytes()[at + 3] != b' ')
                .map(|(at, _)| at);
            rest[..end.unwrap_or(rest.len())].to_owned()
        };
        for (rule, pattern, target) in [
            ("Drops", "detail-type: [Object Created]", "StartRunFunction"),
            ("Tick", "rate(15 minutes)", "StartRunFunction"),
            (
                "ChampionsExported",
                "detail-type: [Champion Exported]",
                "StartRunFunction",
            ),
            ("DriftDetected", "detail-type: [Drift Detected]", "StartRunFunction"),
            (
                "RunsEnded",
                "status: [SUCCEEDED, FAILED, TIMED_OUT, ABORTED]",
                "NotifyRunFunction",
            ),
            (
                "RowsReported",
                "wildcard: '*/reporting/runs/*'",
                "RefreshDashboardFunction",
            ),
        ] {
            let text = resource(rule);
            assert!(text.contains(pattern), "{rule}: {text}");
            assert!(text.contains(&format!("Arn: !GetAtt {target}.Arn")), "{rule}: {text}");
        }
        for function in [
            "StartRunFunction",
            "NotifyRunFunction",
            "CheckEndpointFunction",
            "RefreshDashboardFunction",
        ] {
            let text = resource(function);
            assert!(
                text.contains("MaximumRetryAttempts: 2") && text.contains("OnFailure:"),
                "{function}"
            );
        }
        assert_eq!(
            template.matches("AWS::Events::Rule\n").count(),
            7,
            "a rule that the simulation doesn't know"
        );
    }
}
