//! What has come of the approval of a held candidate: said by the run that carries it out.

use crate::follow;
use crate::target::{Platform, Target, describe};
use anyhow::Result;
use aws_sdk_sfn::types::ExecutionStatus;
use contracts::places::RunPlaces;
use contracts::{Decision, Manifest, RunId, RunState, Verdict};

/// What has come of an approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// Its run is under way.
    UnderWay(RunId),
    /// Its run has exported the candidate.
    Exported(RunId),
    /// Its run has ended without an export, so that the candidate waits for somebody's word again. In words.
    Nothing(String),
}

/// What has come of the approval in a decision; `None` where nobody has approved the candidate.
///
/// # Errors
/// The bucket can't be read, or Step Functions can't be asked.
pub async fn came(target: &Target, platform: &Platform, held: &Decision) -> Result<Option<Came>> {
    let Some(run_id) = held.approval.as_ref().and_then(|approval| approval.run_id.clone()) else {
        return Ok(None);
    };
    let (use_case, model) = (&held.run.use_case, &held.run.model);
    let decision = follow::decision(target, platform, use_case, &run_id, model).await?;
    let verdict = decision.and_then(|it| Some((it.decision?, it.reason)));
    Ok(Some(match verdict {
        Some((Verdict::Exported, _)) => Came::Exported(run_id),
        Some((verdict, reason)) => Came::Nothing(format!("run {run_id} has ended {verdict}: {reason}")),
        None => {
            let places = RunPlaces {
                use_case,
                run_id: &run_id,
            };
            match target.document::<Manifest>(platform, &places.manifest()).await? {
                Some(Manifest {
                    state: RunState::Refused,
                    reason,
                    ..
                }) => Came::Nothing(format!("run {run_id} was refused: {}", reason.unwrap_or_default())),
                Some(Manifest {
                    execution_arn: Some(arn),
                    ..
                }) if !runs(target, &arn).await? => Came::Nothing(format!("run {run_id} has ended without a decision")),
                // Where its call has died, the next one goes on with it.
                _ => Came::UnderWay(run_id),
            }
        }
    }))
}

/// Whether an execution is under way. One that was deleted is not.
async fn runs(target: &Target, arn: &str) -> Result<bool> {
    if !follow::exists(target, arn).await? {
        return Ok(false);
    }
    let answer = target.sfn().describe_execution().execution_arn(arn).send().await;
    let answer = answer.map_err(|error| describe("DescribeExecution", error))?;
    Ok(*answer.status() == ExecutionStatus::Running)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fake_aws::FakeAws;
    use serde_json::{Value, json};

    const HELD: &str = "20261123t183000z-00000001";
    const PROMOTION: &str = "20261124t080000z-00000002";

    fn decision(run: &str, verdict: &str, approval: &Value) -> Value {
        json!({
            "bucket": "bucket", "use_case": "cars", "model": "m", "run_id": run, "decision": verdict, "reason": "because",
            "decided_at": "2026-11-23T18:40:00Z", "approval": approval,
        })
    }

    async fn came_of(verdict: Option<&str>, state: &str) -> Came {
        let aws = FakeAws::new();
        let approval = json!({"action": "approve", "by": "kim", "reason": "good", "at": "2026-11-24T08:00:00Z",
                              "run_id": PROMOTION});
        if let Some(verdict) = verdict {
            let key = format!("cars/runs/{PROMOTION}/decisions/m.json");
            aws.put_object_json("bucket", &key, &decision(PROMOTION, verdict, &approval));
        }
        let source = json!({"promoted_model": "m", "from_run": HELD, "action": "approve", "by": "kim", "reason": "good",
                            "asked_at": "2026-11-24T08:00:00Z", "replaces": null, "anyway": false});
        let manifest = json!({"run_id": PROMOTION, "use_case": "cars", "kind": "promotion", "state": state,
                              "source": source, "config_version": "v", "claimed_at": "2026-11-24T08:00:00Z",
                              "reason": "its model is gone"});
        aws.put_object_json("bucket", &format!("cars/runs/{PROMOTION}/run.json"), &manifest);
        let held: Decision = serde_json::from_value(decision(HELD, "held", &approval)).unwrap();
        let target = Target::with_config("dev", aws.sdk_config());
        came(&target, &Platform::of_tests("bucket"), &held)
            .await
            .unwrap()
            .unwrap()
    }

    #[tokio::test]
    async fn only_an_export_settles_an_approval() {
        let run = RunId::parse(PROMOTION).unwrap();
        assert_eq!(came_of(Some("exported"), "started").await, Came::Exported(run.clone()));
        for verdict in ["failed", "superseded"] {
            let text = format!("run {PROMOTION} has ended {verdict}: because");
            assert_eq!(came_of(Some(verdict), "started").await, Came::Nothing(text));
        }
        let refused = format!("run {PROMOTION} was refused: its model is gone");
        assert_eq!(came_of(None, "refused").await, Came::Nothing(refused));
        assert_eq!(came_of(None, "claimed").await, Came::UnderWay(run));
    }
}
