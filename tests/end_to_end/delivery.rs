//! Events may arrive several times, but a run is started only once. People may request another.

use crate::case::{Case, Run};
use crate::data;
use contracts::{RunId, RunState, Verdict};
use serde_json::{Value, json};

/// The event that S3 sends for the drop, in the form used by start-run's tests.
fn event(case: &Case, run: &Run) -> Value {
    let recorded = include_str!("../../functions/start-run/tests/events/object-created.json");
    let mut event: Value = serde_json::from_str(recorded).unwrap();
    event["detail"]["bucket"]["name"] = case.stack.bucket.as_str().into();
    event["detail"]["object"]["key"] = run.key.as_str().into();
    event["detail"]["object"]["version-id"] = run.put.version_id.as_str().into();
    event["detail"]["object"]["etag"] = run.put.etag.as_str().into();
    event
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn an_event_delivered_again_starts_nothing() {
    let case = Case::new("again", "one-model.yaml").await;
    let run = case.drop("cars.csv", data::cars(200)).await;
    let event = event(&case, &run);

    // At the same time: these calls race with each other, and with the event that S3 has sent.
    let (one, other) = tokio::join!(
        case.stack.call("start-run", &event),
        case.stack.call("start-run", &event)
    );
    for answer in [one.unwrap(), other.unwrap()] {
        assert_eq!(answer["run_id"], run.id.to_string(), "{answer}");
        assert!(
            ["started", "queued", "duplicate"].contains(&answer["outcome"].as_str().unwrap()),
            "{answer}"
        );
    }
    let ended = case.succeeded(&run.id).await;
    ended.decided(&[("xgboost", Verdict::Exported)]);
    case.end_mail(&run.id).await;

    // After the end: Step Functions would accept the name for another execution 90 days later, the manifest never does.
    let answer = case.stack.call("start-run", &event).await.unwrap();
    assert_eq!(
        (&answer["outcome"], &answer["run_id"]),
        (&json!("duplicate"), &json!(run.id.to_string()))
    );
    assert_eq!(case.executions(&run.id).await, 1);
    assert_eq!(case.manifests().await.len(), 1);
    let mails = case.mails();
    assert_eq!(mails.len(), 1, "{mails:?}");
    case.finish().await;
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn a_run_asked_for_by_name_runs_again() {
    let case = Case::new("rerun", "one-model.yaml").await;
    // A file name as people choose it.
    let (first, _) = case.trained("2026/Käufe + cars (1).CSV", 200).await;
    let before = case.champion("xgboost").await.unwrap();

    let said = case.stack.drivetrain(&["rerun", &first.id.to_string()]).await;
    assert!(said.success, "{said:?}");
    let again = RunId::parse(said.stdout.trim()).unwrap();
    assert_eq!(again.to_string(), format!("{}-r2", first.id));
    let ended = case.succeeded(&again).await;
    // The same data and seed give the same model, and in a tie the champion stays.
    ended.decided(&[("xgboost", Verdict::RejectedChampion)]);
    let comparison = ended.decision("xgboost").comparison.as_ref().unwrap();
    assert_eq!(comparison.candidate_rmse, comparison.champion_rmse);
    assert_eq!(comparison.champion_run_id.as_ref(), Some(&first.id));
    assert_eq!(case.champion("xgboost").await, Some(before));
    let sources: Vec<_> = case
        .manifests()
        .await
        .into_iter()
        .map(|it| (it.run_id, it.state, it.inputs[0].version_id.clone()))
        .collect();
    let version = || first.put.version_id.clone();
    assert_eq!(
        sources,
        [
            (first.id.clone(), RunState::Started, version()),
            (again, RunState::Started, version())
        ]
    );

    let unknown = "20200101t000000z-00000000";
    let said = case.stack.drivetrain(&["rerun", "--use-case", &case.id, unknown]).await;
    assert!(
        !said.success && said.stderr.contains(&format!("has no run `{unknown}`")),
        "{said:?}"
    );
    let error = case
        .stack
        .call("start-run", &json!({"rerun": unknown, "use_case": case.id}))
        .await
        .unwrap_err();
    assert_eq!(error["errorType"], "RunUnknown", "{error}");
    assert_eq!(case.manifests().await.len(), 2);
    case.finish().await;
}
