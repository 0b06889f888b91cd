//! Champions and candidates of a use case, and the decisions that people take on them. The commands `champions`,
//! `approve`, `reject` and `rollback` are thin layers over this module.

mod approval;
mod standing;

pub use approval::{Came, came};
pub use standing::State;

use crate::target::{Platform, Target, describe};
use crate::{follow, onboarding, start_run, ui};
use anyhow::{Context, Result, bail};
use contracts::decision::Decision;
use contracts::places;
use contracts::promotion::{Action, Word};
use contracts::{Champion, RunId, UseCase, Verdict, words};
use jiff::Timestamp;
use serde::Serialize;

/// How many training runs are searched for held candidates, newest first.
const RUNS_LOOKED_AT: usize = 200;

/// A model version that serves, has served, or could serve.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Listed {
    /// The run by which `rollback`, `approve` and `reject` name it; a champion's version as well.
    pub run_id: RunId,
    /// Its state.
    pub state: State,
    /// Its result on its own holdout.
    pub holdout: Option<Holdout>,
    /// When it was exported, or held.
    pub since: Timestamp,
    /// The run that trained it.
    pub trained_by: RunId,
    /// Who promoted it and why, or why it is held.
    pub note: String,
    /// For a champion that does not serve, or was trained on other columns than the document's: what the endpoint is on
    /// instead, and what happens next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// The result of a model on a holdout.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Holdout {
    /// Root mean square error, in the target's unit.
    pub rmse: f64,
    /// Number of rows in the holdout.
    pub rows: u64,
}

/// The name to record in a decision: `named`, or else who runs this program.
///
/// # Errors
/// No name is given, and neither USER nor git has one.
pub fn person(named: Option<&str>) -> Result<String> {
    let of_git = || {
        let answer = std::process::Command::new("git").args(["config", "user.name"]).output();
        answer.ok().map(|it| String::from_utf8_lossy(&it.stdout).into_owned())
    };
    let user = || std::env::var("USER").ok().filter(|user| !user.trim().is_empty());
    let found = named
        .map(str::to_owned)
        .or_else(user)
        .or_else(of_git)
        .unwrap_or_default();
    let found = found.trim();
    if found.is_empty() {
        bail!("nobody is named: say who decides with `--by NAME`");
    }
    Ok(found.to_owned())
}

/// The champion before the present one.
///
/// # Errors
/// There is no champion, or none before it.
pub async fn previous(target: &Target, platform: &Platform, use_case: &str, model: &str) -> Result<RunId> {
    let champion = champion(target, platform, use_case, model).await?;
    let champion =
        champion.with_context(|| format!("{model} of {use_case} has no champion: there is nothing to go back from"))?;
    champion.previous.with_context(|| {
        format!(
            "{} is the first champion of {model}: there is none to go back to",
            champion.run_id
        )
    })
}

/// The champion of a model.
///
/// # Errors
/// It can't be read.
pub async fn champion(target: &Target, platform: &Platform, use_case: &str, model: &str) -> Result<Option<Champion>> {
    target
        .document(platform, &places::use_case::champion(use_case, model))
        .await
}

/// The models of a use case that have had a champion or are in its document, even if the use case was removed; only
/// `model` where one is named.
///
/// # Errors
/// There is no such use case or model, or the bucket can't be read.
pub async fn models(
    target: &Target,
    platform: &Platform,
    use_case: &str,
    document: Option<&UseCase>,
    model: Option<&str>,
) -> Result<Vec<String>> {
    let folder = format!("{}{use_case}/models/", places::use_case::ALL);
    let mut models = target.folders(&platform.bucket, &folder).await?;
    models.extend(
        document
            .into_iter()
            .flat_map(|it| &it.models)
            .map(|model| model.name.clone()),
    );
    models.sort();
    models.dedup();
    if models.is_empty() {
        bail!(onboarding::unknown(target, platform, use_case).await?);
    }
    if let Some(model) = model {
        onboarding::model(use_case, &models, model)?;
        return Ok(vec![model.to_owned()]);
    }
    Ok(models)
}

/// Checks that a use case and a model that somebody decides on exist.
///
/// # Errors
/// One doesn't: the text says which there are.
pub async fn check(target: &Target, platform: &Platform, use_case: &str, model: &str) -> Result<()> {
    let document = onboarding::find(target, platform, use_case).await?;
    models(target, platform, use_case, document.as_ref(), Some(model)).await?;
    Ok(())
}

/// The held candidates of a model, followed by its champions, newest first. `document` is the use case's; `None` when
/// the use case was removed.
///
/// # Errors
/// The bucket can't be read, or SageMaker can't be asked.
pub async fn listed(
    target: &Target,
    platform: &Platform,
    use_case: &str,
    document: Option<&UseCase>,
    model: &str,
) -> Result<Vec<Listed>> {
    let present = champion(target, platform, use_case, model).await?;
    let mut former = Vec::new();
    for key in target
        .keys(&platform.bucket, &places::use_case::histories(use_case, model))
        .await?
    {
        former.extend(target.document::<Champion>(platform, &key).await?);
    }
    former.retain(|champion| Some(&champion.run_id) != present.as_ref().map(|present| &present.run_id));
    let mut found = Vec::new();
    for decision in held(target, platform, use_case, model).await? {
        let came = came(target, platform, &decision).await?;
        found.push(of_held(&decision, came.as_ref()));
    }
    let mut champions = Vec::new();
    for champion in former.iter().chain(&present) {
        let (state, trouble) = if Some(champion) == present.as_ref() {
            standing::of(target, platform, champion, document).await?
        } else {
            (State::Former, None)
        };
        let decision = match champion.promoted_from {
            None => None,
            Some(_) => follow::decision(target, platform, use_case, &champion.run_id, model).await?,
        };
        champions.push(Listed {
            trouble,
            ..of_champion(champion, state, decision.as_ref())
        });
    }
    champions.sort_by(|one, other| (other.since, &other.run_id).cmp(&(one.since, &one.run_id)));
    found.extend(champions);
    Ok(found)
}

/// The decisions among the last training runs that hold a candidate for people to decide on.
async fn held(target: &Target, platform: &Platform, use_case: &str, model: &str) -> Result<Vec<Decision>> {
    let request = target
        .sfn()
        .list_executions()
        .state_machine_arn(&platform.training_state_machine_arn);
    let mut pages = request.into_paginator().send();
    let mut runs = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| describe("ListExecutions", error))?;
        runs.extend(page.executions.iter().filter_map(|it| RunId::parse(it.name())));
        if runs.len() >= RUNS_LOOKED_AT {
            runs.truncate(RUNS_LOOKED_AT);
            break;
        }
    }
    let mut found = Vec::new();
    for run in runs {
        let decision = follow::decision(target, platform, use_case, &run, model).await?;
        found.extend(decision.filter(|it| it.decision == Some(Verdict::Held)));
    }
    Ok(found)
}

fn of_held(decision: &Decision, came: Option<&Came>) -> Listed {
    let comparison = decision.comparison.as_ref();
    let mut note = match &decision.approval {
        Some(approval) => format!("{} by {}: {}", approval.action, approval.by, approval.reason),
        None => decision.reason.clone(),
    };
    let state = match came {
        None => State::Held,
        Some(Came::UnderWay(run)) => {
            note += &format!("; run {run} brings it into service");
            State::Approved
        }
        Some(Came::Exported(run)) => {
            note += &format!("; exported as version {run}");
            State::Approved
        }
        Some(Came::Nothing(how)) => {
            note += &format!("; {how}");
            State::Held
        }
    };
    Listed {
        run_id: decision.run.run_id.clone(),
        state,
        holdout: comparison.and_then(|it| {
            Some(Holdout {
                rmse: it.candidate_rmse?,
                rows: it.holdout_rows,
            })
        }),
        since: decision.decided_at,
        trained_by: decision.run.run_id.clone(),
        note,
        trouble: None,
    }
}

fn of_champion(champion: &Champion, state: State, decision: Option<&Decision>) -> Listed {
    let approval = decision.and_then(|decision| decision.approval.as_ref());
    Listed {
        run_id: champion.run_id.clone(),
        state,
        holdout: Some(Holdout {
            rmse: champion.holdout_rmse,
            rows: champion.holdout_rows,
        }),
        since: champion.exported_at,
        trained_by: champion.trained_by().clone(),
        note: approval
            .map(|it| format!("{} by {}: {}", it.action, it.by, it.reason))
            .unwrap_or_default(),
        trouble: None,
    }
}

/// The list as a table.
pub fn table(model: &str, listed: &[Listed]) -> String {
    let mut rows = vec![
        ["model", "run", "state", "RMSE (rows)", "since", "trained by", "note"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for it in listed {
        let holdout = it
            .holdout
            .map(|it| format!("{} ({})", words::number(it.rmse), words::count(it.rows)));
        let trained_by = if it.trained_by == it.run_id {
            "itself".to_owned()
        } else {
            it.trained_by.to_string()
        };
        rows.push(vec![
            model.to_owned(),
            it.run_id.to_string(),
            it.state.as_str().to_owned(),
            holdout.unwrap_or_else(|| "none".to_owned()),
            it.since.strftime("%F %T UTC").to_string(),
            trained_by,
            words::name(&it.note),
        ]);
    }
    if rows.len() == 1 {
        format!("{model} has had no champion, and none of its last {RUNS_LOOKED_AT} training runs is held.\n")
    } else {
        let troubles = listed.iter().filter_map(|it| it.trouble.as_ref());
        let below: String = troubles.map(|trouble| format!("  {model}: {trouble}\n")).collect();
        ui::table(&rows) + &below
    }
}

/// The outcome of a promotion.
#[derive(Clone, Debug, Serialize)]
pub struct Promoted {
    /// The run that promotes.
    pub run_id: RunId,
    /// The status in which its execution ended; `None` when nobody waited for the end.
    pub status: Option<String>,
    /// What serves now, in one sentence.
    pub serves: Option<String>,
}

/// The outcome of a rejection.
#[derive(Clone, Debug, Serialize)]
pub struct Rejected {
    /// The reason in the candidate's decision now.
    pub reason: String,
    /// What serves now, in one sentence.
    pub serves: String,
}

impl Promoted {
    /// The run's id, for scripts that go on with it.
    pub fn in_words(&self) -> String {
        self.run_id.to_string()
    }
}

impl Rejected {
    /// The outcome as text.
    pub fn in_words(&self) -> String {
        format!("rejected: {}\n{}", self.reason, self.serves)
    }
}

/// Has start-run promote a model, and waits for the end unless `wait` is false.
///
/// # Errors
/// It is refused or fails: the text says why, and what serves.
pub async fn promote(target: &Target, word: &Word, action: Action, anyway: bool, wait: bool) -> Result<Promoted> {
    let platform = target.platform().await?;
    let Word {
        use_case,
        model,
        run_id: from_run,
        ..
    } = word;
    let run_id = start_run::promote(target, word, action, anyway).await?;
    ui::say(&format!(
        "{action} of {model} of {use_case} to the model of run {from_run}, as run {run_id}"
    ));
    if !wait {
        let champions = target.command(&format!("champions {use_case}"));
        ui::say(&format!("a mail tells when it ends; `{champions}` shows what serves"));
        return Ok(Promoted {
            run_id,
            status: None,
            serves: None,
        });
    }
    let followed = follow::follow(target, &platform, use_case, &run_id, std::slice::from_ref(model)).await?;
    let decision = follow::decision(target, &platform, use_case, &run_id, model).await?;
    let serving = champion(target, &platform, use_case, model).await?;
    let serves = serves(model, serving.as_ref());
    if serving.is_some_and(|champion| champion.run_id == run_id) && followed.status == "SUCCEEDED" {
        ui::say(&serves);
        return Ok(Promoted {
            run_id,
            status: Some(followed.status),
            serves: Some(serves),
        });
    }
    let why = decision.map(|decision| decision.reason).or(followed.failure);
    bail!(
        "run {run_id} has ended {} without promoting it: {}\n{serves}",
        followed.status,
        why.unwrap_or_else(|| "it has left no decision".to_owned())
    )
}

/// Rejects a held candidate.
///
/// # Errors
/// The candidate does not exist, or is not held.
pub async fn reject(target: &Target, word: &Word) -> Result<Rejected> {
    let reason = start_run::reject(target, word).await?;
    let platform = target.platform().await?;
    let serving = champion(target, &platform, &word.use_case, &word.model).await?;
    let mut serves = serves(&word.model, serving.as_ref());
    if let Some(champion) = &serving {
        let document = onboarding::find(target, &platform, &word.use_case).await?;
        let (state, trouble) = standing::of(target, &platform, champion, document.as_ref()).await?;
        let serves_meanwhile = matches!(state, State::OtherColumns | State::EndpointUpdating);
        if let Some(trouble) = trouble.filter(|_| !serves_meanwhile) {
            serves = format!("{} does not serve as it should: {trouble}", word.model);
        }
    }
    Ok(Rejected { reason, serves })
}

fn serves(model: &str, champion: Option<&Champion>) -> String {
    match champion {
        None => format!("{model} has no champion: nothing serves"),
        Some(champion) => format!(
            "{model} is served by version {}, the model of run {} (RMSE {} on {}), on {}",
            champion.run_id,
            champion.trained_by(),
            words::number(champion.holdout_rmse),
            words::counted(champion.holdout_rows, "row", "rows"),
            champion.endpoint_name
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn champion(run: &str, promoted_from: Option<&str>) -> Champion {
        serde_json::from_value(serde_json::json!({
            "use_case": "cars", "model": "m", "run_id": run, "config_version": "v", "image": "i", "training_job": "t",
            "model_name": "n", "endpoint_name": "e", "endpoint_config": "c", "variant_name": "AllTraffic",
            "schema_hash": "123456", "columns": ["year"], "holdout_rmse": 1234.5, "holdout_rows": 8000,
            "promoted_from": promoted_from, "exported_at": "2026-11-22T18:30:00Z",
        }))
        .unwrap()
    }

    fn decision(verdict: &str, approval: &serde_json::Value) -> Decision {
        serde_json::from_value(serde_json::json!({
            "bucket": "b", "use_case": "cars", "model": "m", "run_id": "20261123t183000z-00000001", "decision": verdict,
            "reason": "year has drifted", "decided_at": "2026-11-23T18:40:00Z", "approval": approval,
            "comparison": {"candidate_rmse": 1100.0, "champion_rmse": 1234.5, "champion_run_id": null,
                           "holdout_rows": 900, "min_improvement": 0.0, "passed": true},
        }))
        .unwrap()
    }

    #[test]
    fn the_list_says_what_serves_and_who_wanted_it() {
        let approval = serde_json::json!({"action": "rollback", "by": "kim", "reason": "prices are off",
                                          "at": "2026-11-24T08:00:00Z", "run_id": "20261124t080000z-00000002"});
        let present = champion("20261124t080000z-00000002", Some("20261122t183000z-ab12cd34"));
        let former = champion("20261122t183000z-ab12cd34", None);
        let rows = [
            of_held(&decision("held", &serde_json::Value::Null), None),
            of_champion(&present, State::Serves, Some(&decision("exported", &approval))),
            of_champion(&former, State::Former, None),
        ];
        insta::assert_snapshot!(table("m", &rows));
        assert!(table("m", &[]).contains("has had no champion"));
    }

    #[tokio::test]
    async fn nothing_is_told_of_a_use_case_or_model_that_there_is_not() {
        let aws = fake_aws::FakeAws::new();
        aws.put_object("bucket", &places::use_case::champion("cars", "former"), b"{}");
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/used-car-price.yaml");
        let document = crate::document::read(std::path::Path::new(file)).unwrap();
        aws.put_object_json(
            "bucket",
            &places::use_case::config("cars"),
            &serde_json::json!(document),
        );
        let pointer = r#"{"uri": "s3://bucket/c", "version_id": "v", "sha256": "s"}"#;
        aws.put_parameter(&places::parameters::config("dev", "cars"), pointer);
        let target = Target::with_config("dev", aws.sdk_config());
        let platform = Platform::of_tests("bucket");
        for model in ["xgboost", "former"] {
            check(&target, &platform, "cars", model).await.unwrap();
        }
        for model in ["nope", "", "XGBOOST"] {
            let error = check(&target, &platform, "cars", model).await.unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("use case `cars` has no model `{model}` (it has former, ")),
                "{error}"
            );
        }
        let error = check(&target, &platform, "nope", "nope").await.unwrap_err().to_string();
        assert!(error.contains("no use case `nope` (it has cars)"), "{error}");
    }

    #[test]
    fn a_held_candidate_says_what_came_of_its_approval() {
        let run = RunId::parse("20261124t080000z-00000002").unwrap();
        let approval = serde_json::json!({"action": "approve", "by": "kim", "reason": "good",
                                          "at": "2026-11-24T08:00:00Z", "run_id": run});
        let decision = decision("held", &approval);
        for (came, state, says) in [
            (Came::UnderWay(run.clone()), State::Approved, "brings it into service"),
            (
                Came::Exported(run.clone()),
                State::Approved,
                "exported as version 20261124t080000z-00000002",
            ),
            (
                Came::Nothing("run 1 has ended failed: x".to_owned()),
                State::Held,
                "has ended failed: x",
            ),
        ] {
            let listed = of_held(&decision, Some(&came));
            assert_eq!(listed.state, state, "{came:?}");
            let note = &listed.note;
            assert!(
                note.starts_with("approve by kim: good; ") && note.contains(says),
                "{note}"
            );
        }
    }

    #[test]
    fn nobody_decides_nothing() {
        assert!(person(Some("  ")).is_err());
        assert_eq!(person(Some(" kim ")).unwrap(), "kim");
    }
}
