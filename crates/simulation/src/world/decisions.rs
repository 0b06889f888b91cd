//! Decisions by people: which candidate or former champion serves.

use super::{BUCKET, USE_CASE, World};
use serde_json::{Value, json};
use std::sync::Arc;

impl World {
    /// Approves the held candidate of a run.
    pub async fn approve(self: &Arc<Self>, model: &str, run: &str) -> anyhow::Result<()> {
        self.ask("promote", model, run, &json!({"action": "approve"})).await
    }

    /// Rejects the held candidate of a run.
    pub async fn reject(self: &Arc<Self>, model: &str, run: &str) -> anyhow::Result<()> {
        self.ask("reject", model, run, &json!({})).await
    }

    /// Rolls back to the champion that a run has exported.
    pub async fn roll_back(self: &Arc<Self>, model: &str, run: &str) -> anyhow::Result<()> {
        self.ask("promote", model, run, &json!({"action": "rollback"})).await
    }

    /// The same, requested by somebody else.
    pub async fn roll_back_by(self: &Arc<Self>, by: &str, model: &str, run: &str) -> anyhow::Result<()> {
        self.ask("promote", model, run, &json!({"action": "rollback", "by": by}))
            .await
    }

    /// Calls start-run as `drivetrain` does.
    async fn ask(self: &Arc<Self>, what: &str, model: &str, run: &str, more: &Value) -> anyhow::Result<()> {
        let mut asked = json!({
            "use_case": USE_CASE, "model": model, "run_id": run, "by": "kim", "reason": "prices are off",
        });
        if let (Some(asked), Some(more)) = (asked.as_object_mut(), more.as_object()) {
            asked.extend(more.clone());
        }
        let answer = self.invoke("start-run", json!({what: asked})).await;
        answer.map_err(|failure| anyhow::anyhow!("{what} {model} {run}: {failure:?}"))?;
        Ok(())
    }

    /// The runs of the training machine, in the order of their starts.
    pub fn runs(&self) -> Vec<String> {
        let executions = self.aws.executions().into_iter();
        let training = executions.filter(|it| it.state_machine_arn.ends_with("-training"));
        training.map(|it| it.name).collect()
    }

    /// The run of a model's champion.
    pub fn champions_run(&self, model: &str) -> String {
        let run = self.champion(model).map(|it| it["run_id"].clone());
        run.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// The decision of the last run on a model.
    pub fn decision(&self, model: &str) -> Value {
        let run = self.runs().pop().unwrap_or_default();
        let key = format!("{USE_CASE}/runs/{run}/decisions/{model}.json");
        self.aws.object_json(BUCKET, &key).unwrap_or_default()
    }

    /// Whether every champion is that of the last run.
    pub fn serves_the_newest(&self) -> anyhow::Result<()> {
        let newest = self.runs().pop().unwrap_or_default();
        for model in super::look::MODELS {
            let run = self.champions_run(model);
            anyhow::ensure!(run == newest, "{model} serves run {run}, and {newest} is newer");
        }
        Ok(())
    }
}
