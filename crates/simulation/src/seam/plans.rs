//! The plans with which executions are started, as start-run makes them.

use super::functions::run_id;
use crate::world::settings;
use contracts::champion::Baselines;
use contracts::names::MAX_ID;
use contracts::promotion::{Action, CandidateRecord, Promotion};
use contracts::use_case::{Answers, UseCase};
use contracts::{Champion, RunId};
use serde::Serialize;
use serde_json::{Value, json};
use start_run::plan::{self, Baselined, Job};

/// A model of each algorithm, one that scales, and one with its own image that answers JSON.
fn document() -> UseCase {
    let text = include_str!("../../../../functions/start-run/tests/documents/used-car-price.json");
    let mut document: UseCase = serde_json::from_str(text).unwrap();
    document.models[2].answers = Answers::Json;
    document.monitoring = Some(serde_json::from_value(json!({})).unwrap());
    assert_eq!(document.validate(), []);
    document
}

fn job(run_id: &RunId, started_by_drift: bool) -> Job<'_> {
    Job {
        run_id,
        config_version: "config-version-7",
        onboarding: Some("2026-11-01T08:00:00Z"),
        started_by_drift,
    }
}

fn written(plan: &impl Serialize) -> Value {
    serde_json::to_value(plan).unwrap()
}

/// Runs of a drop and of drift, one of them repeated; promotions of a held candidate with and without its baselines,
/// and of a former champion with and without its own.
pub fn training() -> Vec<Value> {
    let (document, settings) = (document(), settings());
    let all = plan::plan(&document, &settings, &job(&run_id(), false));
    // The names are as long as allowed, because AWS limits the names that are made of them.
    let mut one = document.clone();
    one.use_case = "u".repeat(MAX_ID);
    one.models.truncate(1);
    one.models[0].name = "m".repeat(MAX_ID);
    one.models[0].endpoint.scaling = None;
    assert_eq!(one.validate(), []);
    let again = plan::plan(&one, &settings, &job(&run_id().rerun(), true));
    let to_make = plan::trained(&document, &settings, &run_id(), "config-version-7", &document.models[0]);
    let promotions = [
        (Action::Approve, Baselined::ToMake(Box::new(to_make))),
        (Action::Approve, Baselined::There(Some(baselines()))),
        (Action::Rollback, Baselined::There(None)),
    ];
    let promotions = promotions.map(|(action, baselined)| {
        let promotion = promotion(action, &baselined);
        let model = &document.models[0];
        written(&plan::promotion(
            &document,
            &settings,
            &job(&run_id(), false),
            model,
            promotion,
            baselined,
        ))
    });
    [written(&all), written(&again)].into_iter().chain(promotions).collect()
}

/// A run of all models, and one of some.
pub fn scoring() -> Vec<Value> {
    let (document, settings) = (document(), settings());
    let champion = |model: &str| (model.to_owned(), champion(&document, model));
    let all = document.models.iter().map(|model| champion(&model.name)).collect();
    let one = [champion("xgboost")].into();
    [all, one]
        .map(|champions| written(&plan::scoring(&document, &settings, &job(&run_id(), false), &champions)))
        .into()
}

/// The monitoring of a model whose labels have bounds, and of one whose labels have none.
pub fn monitoring() -> Vec<Value> {
    let bounded = document();
    let mut free = document();
    free.cleaning.rules.clear();
    [bounded, free]
        .map(|document| {
            let (rules, run_id) = (document.monitoring.as_ref().unwrap(), run_id());
            let tick = "2026-11-22T18:30:00Z".parse().unwrap();
            let (model, job) = (&document.models[0], job(&run_id, false));
            written(&plan::monitoring(&document, rules, &settings(), &job, model, tick))
        })
        .into()
}

fn baselines() -> Baselines {
    Baselines {
        data: "s3://bucket/baselines/data/".to_owned(),
        quality: "s3://bucket/baselines/quality/".to_owned(),
    }
}

fn promotion(action: Action, baselined: &Baselined) -> Promotion {
    let baselines = match baselined {
        Baselined::There(places) => places.clone(),
        Baselined::ToMake(jobs) => jobs.places.clone(),
    };
    Promotion {
        action,
        by: "kim".to_owned(),
        reason: "it is good".to_owned(),
        at: "2026-11-22T18:30:00Z".parse().unwrap(),
        replaces: baselines.as_ref().map(|_| run_id()),
        anyway: false,
        candidate: CandidateRecord {
            baselines,
            ..CandidateRecord::of_champion(&champion(&document(), "xgboost"), "bucket")
        },
    }
}

fn champion(document: &UseCase, model: &str) -> Champion {
    Champion {
        use_case: document.use_case.clone(),
        model: model.to_owned(),
        run_id: run_id(),
        config_version: "config-version-7".to_owned(),
        image: "image".to_owned(),
        training_job: "training-job".to_owned(),
        model_name: "model".to_owned(),
        endpoint_name: "endpoint".to_owned(),
        endpoint_config: "config".to_owned(),
        variant_name: "AllTraffic".to_owned(),
        schema_hash: document.schema_hash(),
        columns: document.columns(),
        holdout_rmse: 1.5,
        holdout_rows: 100,
        holdout: None,
        holdout_reference_rmse: None,
        encoded_row_bytes: None,
        baselines: None,
        promoted_from: None,
        exported_at: "2026-11-22T18:30:00Z".parse().unwrap(),
        previous: None,
    }
}
