//! More captures than the function can handle go through the Glue job, which runs in Spark on this machine, and are
//! analysed like all others. In the tests' stack, `GlueThresholdBytes` is a few megabytes.

use crate::case::Case;
use crate::data;
use crate::monitoring::{WATCHED, only};
use crate::watch::Watched;
use contracts::monitoring::Payload;
use contracts::places::MonitoringPlaces;
use serde_json::Value;

const MODEL: &str = "xgboost";
/// Rows per request.
const ROWS: usize = 20;
/// The total size of the captures in bytes: more than the threshold.
const ENOUGH: usize = 5_000_000;

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn a_window_too_large_for_the_function_is_consolidated_in_spark() {
    let case = Case::with("scale", "one-model.yaml", &[WATCHED]).await;
    case.trained("cars.csv", 400).await;
    case.answers(&[MODEL]).await;
    let cars = only(&data::instances(400, 600));
    case.send("few", &cars, &[MODEL]).await;
    let small = case.watch(MODEL).await;
    assert!(!by_job(&case, &small).await, "{small:#?}");
    let mut ids: Vec<String> = case.predictions(MODEL).await.into_iter().map(|row| row.id).collect();

    let (captured, lines) = captured(&case).await;
    let (many, new_ids) = repeated(&lines);
    let broken = "{\"captureData\": \n";
    case.stack
        .put(&captured.replace(".jsonl", "-many.jsonl"), many + broken)
        .await;
    let told: Vec<(String, f64)> = new_ids.iter().take(100).map(|id| (id.clone(), 10_000.0)).collect();
    case.tell("some.csv", &told).await;

    let large = case.watch(MODEL).await;
    assert!(
        by_job(&case, &large).await,
        "the stack's GlueThresholdBytes is too large: {large:#?}"
    );
    assert_eq!(large.window.records as usize, new_ids.len(), "{large:#?}");
    assert_eq!(large.window.ground_truth.joined, 100, "{large:#?}");
    let skipped: u64 = large.window.skipped.iter().map(|it| it.rows).sum();
    assert_eq!(skipped, 1, "{:?}", large.window.skipped);
    let data = large.rows.iter().find(|row| row.analysis == "data").unwrap();
    assert_eq!(data.current_rows, large.window.records, "{data:#?}");
    assert!(large.rows.iter().any(|row| row.analysis == "quality"), "{large:#?}");

    ids.extend(new_ids);
    case.reported(MODEL, &[ids]).await;
    assert_eq!(case.bookmark(MODEL).await.unwrap().next_window, 2);
    case.watch(MODEL).await.had(Payload::None);
    case.finish().await;
}

/// Whether the Glue job consolidated the window: only the job writes this file.
async fn by_job(case: &Case, watched: &Watched) -> bool {
    let places = MonitoringPlaces {
        use_case: &case.id,
        model: MODEL,
        run_id: &watched.run_id,
    };
    let key = format!("{}input/consolidated.json", places.root());
    case.stack.get(&key).await.is_some()
}

/// A capture file, and its requests that have [`ROWS`] rows.
async fn captured(case: &Case) -> (String, Vec<Value>) {
    let prefix = format!("{}/capture/", case.id);
    for key in case.stack.keys(&prefix).await {
        let bytes = case.stack.get(&key).await.unwrap();
        let lines = std::str::from_utf8(&bytes).unwrap().lines();
        let lines = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
        let lines: Vec<Value> = lines
            .filter(|line| {
                line["captureData"]["endpointInput"]["data"]
                    .as_str()
                    .unwrap()
                    .lines()
                    .count()
                    == ROWS
            })
            .collect();
        if !lines.is_empty() {
            return (key, lines);
        }
    }
    panic!("nothing is captured below {prefix}");
}

/// Repeats the requests under new ids; returns them as lines, with the ids of their rows.
fn repeated(lines: &[Value]) -> (String, Vec<String>) {
    let (mut text, mut ids) = (String::new(), Vec::new());
    for number in 0.. {
        let mut line = lines[number % lines.len()].clone();
        let id = format!("many-{number}");
        line["eventMetadata"]["inferenceId"] = id.clone().into();
        line["eventMetadata"]["eventId"] = format!("event-{number}").into();
        text += &(line.to_string() + "\n");
        ids.extend((0..ROWS).map(|row| format!("{id}#{row}")));
        if text.len() > ENOUGH {
            break;
        }
    }
    (text, ids)
}
