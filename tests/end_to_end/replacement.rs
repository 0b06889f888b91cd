//! The gate: which model becomes the champion, and what happens to requests while it changes.

use crate::case::{Case, Run};
use contracts::decision::Comparison;
use contracts::{Champion, RunId, Verdict, places};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn only_a_better_candidate_replaces_the_champion_and_no_request_fails() {
    let case = Case::new("replace", "one-model.yaml").await;
    let (first, _) = case.trained("cars.csv", 120).await;
    let champion = case.champion("xgboost").await.unwrap();

    // A new PUT of the same key trains again; a few rows make a worse model.
    let (worse, ended) = case.trained("cars.csv", 40).await;
    ended.decided(&[("xgboost", Verdict::RejectedChampion)]);
    let comparison = ended.decision("xgboost").comparison.clone().unwrap();
    assert!(
        comparison.candidate_rmse > comparison.champion_rmse && !comparison.passed,
        "{comparison:?}"
    );
    same_holdout(&case, &worse, &comparison).await;
    stays(&case, &champion).await;
    rejection_is_mailed(&case, &worse, &comparison, &first).await;

    // Many rows make a better model; requests continue while it takes over.
    let requests = Requests::begin(&case);
    let (better, ended) = case.trained("cars.csv", 800).await;
    ended.decided(&[("xgboost", Verdict::Exported)]);
    let comparison = ended.decision("xgboost").comparison.clone().unwrap();
    assert!(
        comparison.candidate_rmse < comparison.champion_rmse && comparison.passed,
        "{comparison:?}"
    );
    assert_eq!(comparison.champion_run_id.as_ref(), Some(&first.id));
    same_holdout(&case, &better, &comparison).await;
    let successor = case.champion("xgboost").await.unwrap();
    assert_eq!(
        (&successor.run_id, &successor.previous),
        (&better.id, &Some(first.id.clone()))
    );
    assert_eq!(successor.endpoint_name, champion.endpoint_name);
    assert_ne!(successor.endpoint_config, champion.endpoint_config);
    stays(&case, &successor).await;
    let versions = requests.until_answered_by(&better.id).await;
    let both = BTreeSet::from([first.id.to_string(), better.id.to_string()]);
    assert_eq!(versions.keys().cloned().collect::<BTreeSet<_>>(), both);
    // Each model has one value for the same request: no value was ever reported under the other's version.
    assert!(versions.values().all(|values| values.len() == 1), "{versions:?}");
    scaling_is_kept(&case, &successor).await;
    case.finish().await;
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn a_candidate_above_the_threshold_is_rejected_and_the_run_succeeds() {
    let strict = [("threshold_rmse: 20000", "threshold_rmse: 1.5")];
    let case = Case::with("strict", "one-model.yaml", &strict).await;
    let (run, ended) = case.trained("cars.csv", 200).await;
    ended.decided(&[("xgboost", Verdict::RejectedThreshold)]);
    let check = ended.decision("xgboost").threshold.clone().unwrap();
    assert_eq!(
        (check.metric.as_str(), check.threshold_rmse, check.passed),
        ("validation:rmse", 1.5, false)
    );
    assert_eq!(ended.decision("xgboost").comparison, None);

    let subject = format!("[drivetrain] {}: xgboost candidate rejected", case.id);
    let mail = case.mail("the rejection", |mail| mail.subject == subject).await;
    for text in [
        "rejected-threshold",
        "validation:rmse",
        "There is still no champion.",
        &run.id.to_string(),
    ] {
        assert!(mail.message.contains(text), "{text}: {mail:?}");
    }
    assert_eq!(mail.message_attributes["severity"], "warning");
    let mail = case.end_mail(&run.id).await;
    assert!(
        mail.subject.contains("succeeded: xgboost rejected-threshold"),
        "{mail:?}"
    );

    assert_eq!(case.champion("xgboost").await, None);
    assert_eq!(case.parameter("xgboost", "champion").await, None);
    let request = json!({"NameContains": case.id});
    assert_eq!(
        case.stack.sagemaker("ListEndpoints", &request).await["Endpoints"],
        json!([])
    );
    assert_eq!(case.predict().await.status, 503);
    case.finish().await;
}

/// Checks that both were scored on the same rows with the same labels, and that the decision has the numbers of the
/// scores.
async fn same_holdout(case: &Case, run: &Run, comparison: &Comparison) {
    let mut rows = Vec::new();
    for (by, rmse) in [
        ("candidate", comparison.candidate_rmse),
        ("champion", comparison.champion_rmse),
    ] {
        let scores = scores(case, run, by).await;
        assert_eq!(scores.len() as u64, comparison.holdout_rows, "{by}");
        let squares: f64 = scores
            .values()
            .map(|(label, predicted)| (label - predicted).powi(2))
            .sum();
        let computed = (squares / scores.len() as f64).sqrt();
        assert!(
            (computed - rmse.unwrap()).abs() < 1e-6 * computed,
            "{by}: {computed} is not {rmse:?}"
        );
        rows.push(
            scores
                .into_iter()
                .map(|(row, (label, _))| (row, label))
                .collect::<Vec<_>>(),
        );
    }
    assert_eq!(rows[0], rows[1]);
}

/// Label and prediction by row id.
async fn scores(case: &Case, run: &Run, by: &str) -> BTreeMap<String, (f64, f64)> {
    let mut scores = BTreeMap::new();
    let prefix = case.places(&run.id).holdout_scores("xgboost", by) + places::HOLDOUT_NEW;
    for key in case.stack.keys(&prefix).await {
        let text = String::from_utf8(case.stack.get(&key).await.unwrap()).unwrap();
        for line in text.lines() {
            let fields: Vec<&str> = line.split(',').collect();
            let [row, label, predicted] = fields[..] else {
                panic!("{key}: {line}")
            };
            scores.insert(row.to_owned(), (label.parse().unwrap(), predicted.parse().unwrap()));
        }
    }
    scores
}

/// Checks that the champion is as it was, and its endpoint serves it.
async fn stays(case: &Case, champion: &Champion) {
    assert_eq!(case.champion("xgboost").await.as_ref(), Some(champion));
    let endpoint = case.endpoint(&champion.endpoint_name).await;
    assert_eq!(endpoint["EndpointStatus"], "InService");
    assert_eq!(endpoint["EndpointConfigName"], champion.endpoint_config.as_str());
    assert_eq!(
        case.parameter("xgboost", "model-name").await.as_ref(),
        Some(&champion.model_name)
    );
}

async fn rejection_is_mailed(case: &Case, run: &Run, comparison: &Comparison, champion: &Run) {
    let subject = format!("[drivetrain] {}: xgboost candidate rejected", case.id);
    let mail = case.mail("the rejection", |mail| mail.subject == subject).await;
    for text in [
        "rejected-champion".to_owned(),
        format!("run:           {}", run.id),
        format!("champion run:  {}", champion.id),
        format!("holdout rows:  {}", comparison.holdout_rows),
    ] {
        assert!(mail.message.contains(&text), "{text}: {mail:?}");
    }
    let mail = case.end_mail(&run.id).await;
    assert!(
        mail.subject.contains("succeeded: xgboost rejected-champion"),
        "{mail:?}"
    );
}

async fn scaling_is_kept(case: &Case, champion: &Champion) {
    let resource = format!("endpoint/{}/variant/{}", champion.endpoint_name, champion.variant_name);
    let request = json!({"ServiceNamespace": "sagemaker", "ResourceIds": [resource]});
    let targets = case.stack.scaling("DescribeScalableTargets", &request).await;
    assert_eq!(targets["ScalableTargets"][0]["MaxCapacity"], 3, "{targets}");
}

/// A client that requests predictions all the time.
pub(crate) struct Requests {
    /// Set when this run's version has answered, so that the client may stop.
    stop: Arc<AtomicBool>,
    /// The values of each version.
    answers: JoinHandle<BTreeMap<String, BTreeSet<String>>>,
    case: Case,
}

impl Requests {
    pub(crate) fn begin(case: &Case) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (client, stopped) = (case.clone(), stop.clone());
        let answers = tokio::spawn(async move {
            let mut versions = BTreeMap::<String, BTreeSet<String>>::new();
            while !stopped.load(Ordering::Relaxed) {
                let answer = client.predict().await;
                assert!(!answer.degraded(), "{}", answer.body);
                let model = &answer.predictions()[0]["models"]["xgboost"];
                let version = model["version"].as_str().unwrap().to_owned();
                versions.entry(version).or_default().insert(model["value"].to_string());
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            versions
        });
        Self {
            stop,
            answers,
            case: case.clone(),
        }
    }

    /// Continues until the run's model answers; returns every version that has answered, with its values. Panics when a
    /// request failed.
    pub(crate) async fn until_answered_by(self, run: &RunId) -> BTreeMap<String, BTreeSet<String>> {
        let what = format!("the model of run {run} answers");
        crate::wait::until(&what, crate::wait::MOMENT, async || {
            let answer = self.case.predict().await;
            (answer.predictions()[0]["models"]["xgboost"]["version"] == run.to_string()).then_some(())
        })
        .await;
        // The loop may get answers from another process of the function, which looks for champions later.
        tokio::time::sleep(Duration::from_secs(11)).await;
        self.stop.store(true, Ordering::Relaxed);
        self.answers.await.expect("a request failed while the champion changed")
    }
}
