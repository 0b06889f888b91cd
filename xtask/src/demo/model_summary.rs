//! A model in figures: what the run decided, and what serves.

use anyhow::Result;
use contracts::champion::Baselines;
use contracts::places;
use contracts::{Champion, Decision, RunId, Verdict};
use drivetrain::follow;
use drivetrain::target::{Platform, Target, describe};
use serde::Serialize;

/// A model in figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelSummary {
    /// Its name.
    pub model: String,
    /// How the run decided on it; none when it did not get there.
    pub decision: Option<Verdict>,
    /// One sentence for people.
    pub reason: String,
    /// The candidate's RMSE on the holdout.
    pub rmse: Option<f64>,
    /// The champion's on the same rows; none when there was none.
    pub champion_rmse: Option<f64>,
    /// The endpoint that serves the champion.
    pub endpoint_name: Option<String>,
    /// As SageMaker reports it.
    pub endpoint_status: Option<String>,
    /// The configuration that it serves.
    pub endpoint_config: Option<String>,
    /// Where the champion's baselines are.
    pub baselines: Option<Baselines>,
    /// Whether it is in service, on the configuration that the champion was exported with.
    pub verified: bool,
}

impl ModelSummary {
    /// Whether this run's candidate serves.
    pub fn serves_candidate(&self) -> bool {
        self.verified && self.decision == Some(Verdict::Exported)
    }

    /// Whether the pipeline did what it should: the candidate serves, or a champion that it did not beat or that it may not
    /// replace without people's word.
    pub fn is_good(&self) -> bool {
        let judged = [
            Verdict::Exported,
            Verdict::RejectedChampion,
            Verdict::RejectedNaive,
            Verdict::Held,
        ];
        self.verified && self.decision.is_some_and(|verdict| judged.contains(&verdict))
    }
}

/// A model's decision, champion and endpoint, put together.
///
/// # Errors
/// The stack doesn't answer.
pub async fn of_model(
    target: &Target,
    platform: &Platform,
    use_case: &str,
    run: &RunId,
    model: &str,
) -> Result<ModelSummary> {
    let decision = follow::decision(target, platform, use_case, run, model).await?;
    let champion: Option<Champion> = target
        .document(platform, &places::use_case::champion(use_case, model))
        .await?;
    let endpoint = match &champion {
        Some(champion) => described(target, &champion.endpoint_name).await?,
        None => None,
    };
    Ok(put_together(model, decision, champion, endpoint, run))
}

/// Status and configuration of an endpoint as SageMaker describes it; none when there is none of that name.
async fn described(target: &Target, name: &str) -> Result<Option<(String, String)>> {
    match target.sagemaker().describe_endpoint().endpoint_name(name).send().await {
        Ok(endpoint) => Ok(Some((
            endpoint
                .endpoint_status()
                .map(|it| it.as_str().to_owned())
                .unwrap_or_default(),
            endpoint.endpoint_config_name.unwrap_or_default(),
        ))),
        // SageMaker has no code of its own for that.
        Err(error)
            if error
                .as_service_error()
                .and_then(|it| it.meta().message())
                .is_some_and(is_missing) =>
        {
            Ok(None)
        }
        Err(error) => Err(describe(&format!("DescribeEndpoint {name}"), error)),
    }
}

fn is_missing(message: &str) -> bool {
    message.contains("Could not find endpoint")
}

pub(super) fn put_together(
    model: &str,
    decision: Option<Decision>,
    champion: Option<Champion>,
    endpoint: Option<(String, String)>,
    run: &RunId,
) -> ModelSummary {
    let (status, config) = endpoint.unzip();
    let verdict = decision.as_ref().and_then(|decision| decision.decision);
    let serves = champion.as_ref().is_some_and(|champion| {
        let as_decided = verdict != Some(Verdict::Exported) || champion.run_id == *run;
        as_decided && status.as_deref() == Some("InService") && config.as_ref() == Some(&champion.endpoint_config)
    });
    let comparison = decision.as_ref().and_then(|decision| decision.comparison.clone());
    ModelSummary {
        model: model.to_owned(),
        decision: verdict,
        reason: decision.map_or_else(
            || "the run ended without a decision".to_owned(),
            |decision| decision.reason,
        ),
        rmse: comparison.as_ref().and_then(|it| it.candidate_rmse),
        champion_rmse: comparison.as_ref().and_then(|it| it.champion_rmse),
        baselines: champion.as_ref().and_then(|champion| champion.baselines.clone()),
        endpoint_name: champion.map(|champion| champion.endpoint_name),
        endpoint_status: status,
        endpoint_config: config,
        verified: serves,
    }
}
