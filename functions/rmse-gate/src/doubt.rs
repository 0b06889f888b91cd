//! The step `doubt`: holds a candidate that has won if its data is no longer like the champion's, or if the document
//! requires approval.

use crate::{ChampionFound, Error, Response, RmseGate, rules};
use contracts::drift::Outcome;
use contracts::use_case::Approval;
use contracts::{ModelRun, Verdict, places};
use jiff::Timestamp;
use monitor::documents::statistics::{Feature, InferredType};
use monitor::documents::{Constraints, Statistics};
use monitor::{analysis, checks, drift};
use std::collections::{HashMap, HashSet};

impl RmseGate {
    pub(crate) async fn doubt(
        &self,
        run: &ModelRun,
        champion: &ChampionFound,
        approval: Approval,
        started_by_drift: bool,
        now: Timestamp,
    ) -> Result<Response, Error> {
        let before = self.decisions.get(run).await?;
        let mut comparison = before
            .and_then(|decision| decision.comparison)
            .ok_or_else(|| Error::NotCompared(run.clone()))?;
        let compared_anew = |told: &Vec<String>| told.iter().any(|it| it.starts_with(FEATURES));
        if champion.found && !compared_anew(&comparison.doubts) && !compared_anew(&comparison.notes) {
            let told = self.features(run, champion).await?;
            match told {
                // Drift is why the run was started, so it is no doubt.
                Some(told) if started_by_drift => comparison.notes.push(told),
                Some(told) => comparison.doubts.push(told),
                None => {}
            }
        }
        let held = rules::is_held(&comparison.doubts, approval);
        let decision = self
            .decisions
            .update(run, now, |decision| {
                let won = decision.reason.split(HELD).next().unwrap_or_default().to_owned();
                decision.reason = if held {
                    won + HELD + &why(&comparison.doubts)
                } else {
                    won
                };
                decision.decision = held.then_some(Verdict::Held);
                decision.comparison = Some(comparison);
            })
            .await?;
        tracing::info!(run_id = %run.run_id, model = run.model, held, reason = decision.reason, "doubt");
        Ok(Response::Doubt {
            held,
            reason: decision.reason,
        })
    }

    /// How the training data has drifted since the champion's, in a sentence; `None` if it has not.
    async fn features(&self, run: &ModelRun, champion: &ChampionFound) -> Result<Option<String>, Error> {
        let unknown = |why: &str| Some(format!("{FEATURES} can't be compared with the champion's: {why}"));
        let Some((_, baseline)) = places::parse_uri(&champion.data_baseline) else {
            return Ok(unknown("it was exported without a baseline of them"));
        };
        let Some(before) = self.text(&format!("{baseline}statistics.json")).await? else {
            return Ok(unknown("its baseline is not there any more"));
        };
        let Ok(mut before) = Statistics::parse(&before, "statistics.json") else {
            return Ok(unknown("its baseline can't be read"));
        };
        // People may have edited the champion's constraints, in order to switch columns off.
        let constraints = match self.text(&format!("{baseline}constraints.json")).await? {
            Some(text) => Constraints::parse(&text, "constraints.json")
                .ok()
                .map(|parsed| parsed.document),
            None => None,
        };
        let mut constraints = constraints.unwrap_or_else(|| checks::suggest(&before));
        let key = run.places().baseline(&run.model, "data") + "statistics.json";
        let now = self.text(&key).await?.unwrap_or_default();
        let mut now = Statistics::parse(&now, &key).map_err(|error| platform::Error::Document {
            place: places::uri(&run.bucket, &key),
            reason: error.to_string(),
        })?;
        if !champion.comparable {
            let shared = shared_columns(&before, &now);
            before.features.retain(|it| shared.contains(&it.name));
            now.features.retain(|it| shared.contains(&it.name));
            constraints.features.retain(|it| shared.contains(&it.name));
        }
        let found = analysis::between(&before, &constraints, &now, drift::default_settings());
        Ok((found.outcome == Outcome::Drifted)
            .then(|| format!("{FEATURES} have drifted from the champion's: {}", found.reason)))
    }

    async fn text(&self, key: &str) -> Result<Option<String>, Error> {
        let found = self.documents.get_bytes(key, None).await?;
        Ok(found.map(|(bytes, _)| String::from_utf8_lossy(&bytes).into_owned()))
    }
}

/// The columns that are in both, with the same type: only these can be compared if the document's columns have changed.
fn shared_columns(before: &Statistics, now: &Statistics) -> HashSet<String> {
    let is_text = |it: &Feature| matches!(it.inferred_type, InferredType::String | InferredType::Unknown);
    let kinds: HashMap<&str, bool> = before
        .features
        .iter()
        .map(|it| (it.name.as_str(), is_text(it)))
        .collect();
    let shared = now
        .features
        .iter()
        .filter(|it| kinds.get(it.name.as_str()) == Some(&is_text(it)));
    shared.map(|it| it.name.clone()).collect()
}

/// The beginning of sentences about the features.
const FEATURES: &str = "the features";
/// The words between why a candidate has won and why it is held.
const HELD: &str = "; held: ";

fn why(doubts: &[String]) -> String {
    if doubts.is_empty() {
        "the document wants people to be asked (gate.approval)".to_owned()
    } else {
        doubts.join("; ")
    }
}
