//! An account with a monitored model, and with what its endpoint has captured.

use consolidate_captures::{Committed, ConsolidateCaptures, Error, Response};
use contracts::monitoring::{Bookmark, GroundTruthFile};
use contracts::places::use_case;
use contracts::reporting::{GroundTruthRow, PredictionRow};
use contracts::run::ObjectVersion;
use contracts::{RunId, Window};
use fake_aws::FakeAws;
use flate2::read::MultiGzDecoder;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::io::Read;

pub const BUCKET: &str = "drivetrain-dev";
/// The run that trained the champion, and its configuration.
pub const CHAMPION: &str = "20261120t000000z-ab12cd34";
pub const CONFIG: &str = "dev-cars-m-ab12cd34-conf-0";
/// The champion after it.
pub const NEXT: &str = "20261123t000000z-0a0b0c0d";
pub const NEXT_CONFIG: &str = "dev-cars-m-0a0b0c0d-conf-0";

pub fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

pub fn champion(run: &str, config: &str, exported: &str, previous: Option<&str>) -> Value {
    json!({
        "use_case": "cars", "model": "m", "run_id": run, "config_version": "v", "image": "i", "training_job": "t",
        "model_name": "n", "endpoint_name": "e", "endpoint_config": config, "variant_name": "AllTraffic",
        "schema_hash": "123456", "columns": ["year", "fuel"], "holdout_rmse": 1.0, "holdout_rows": 8,
        "baselines": {"data": "s3://b/data/", "quality": "s3://b/quality/"}, "exported_at": exported,
        "previous": previous,
    })
}

pub fn account() -> FakeAws {
    let aws = FakeAws::new();
    clock(&aws, "2026-11-22T18:00:00Z");
    let champion = champion(CHAMPION, CONFIG, "2026-11-20T01:00:00Z", None).to_string();
    aws.put_object(BUCKET, "use-cases/cars/models/m/champion.json", &champion);
    let key = format!("use-cases/cars/models/m/history/{CHAMPION}.json");
    aws.put_object(BUCKET, &key, &champion);
    aws
}

/// Exports the next champion.
pub fn export_next(aws: &FakeAws) {
    let next = champion(NEXT, NEXT_CONFIG, "2026-11-23T01:00:00Z", Some(CHAMPION));
    aws.put_object(BUCKET, "use-cases/cars/models/m/champion.json", next.to_string());
}

pub fn clock(aws: &FakeAws, time: &str) {
    aws.set_now(std::time::SystemTime::from(at(time)));
}

/// Drops ground truth that nobody has judged yet; returns the version's document.
pub fn drop_labels(aws: &FakeAws, name: &str, content: &str) -> GroundTruthFile {
    let key = format!("cars/ground-truth/incoming/{name}");
    let version_id = aws.put_object(BUCKET, &key, content);
    let now = Timestamp::try_from(aws.now()).unwrap();
    let object = ObjectVersion {
        bucket: BUCKET.to_owned(),
        key,
        version_id,
        bytes: content.len() as u64,
        last_modified: now,
    };
    GroundTruthFile {
        format: 1,
        object,
        reason: None,
        remedy: None,
        judged_at: now,
        told: false,
    }
}

/// Drops ground truth that start-run accepts.
pub fn tell(aws: &FakeAws, name: &str, content: &str) {
    let judged = drop_labels(aws, name, content);
    judge(aws, &use_case::accepted_ground_truth("cars"), &judged);
}

/// Writes start-run's judgement of a version into one of its folders.
pub fn judge(aws: &FakeAws, folder: &str, judged: &GroundTruthFile) {
    let ObjectVersion {
        bucket,
        key,
        version_id,
        last_modified,
        ..
    } = &judged.object;
    let name = RunId::for_drop(*last_modified, bucket, key, version_id);
    aws.put_object(BUCKET, &format!("{folder}{name}.json"), json!(judged).to_string());
}

/// Adds a capture file with requests of two rows each; returns the rows' ids.
pub fn capture(aws: &FakeAws, config: &str, name: &str, requests: &[&str]) -> Vec<String> {
    capture_of(aws, config, "2026/11/22/18", name, requests)
}

/// The same, for another hour.
pub fn capture_of(aws: &FakeAws, config: &str, hour: &str, name: &str, requests: &[&str]) -> Vec<String> {
    let lines = requests.iter().map(|request| {
        let input = json!({"observedContentType": "text/csv", "mode": "INPUT", "data": "2015,gas\n2016,\n", "encoding": "CSV"});
        // `10.5\n11\n`
        let output = json!({"observedContentType": "text/csv; charset=utf-8", "mode": "OUTPUT", "data": "MTAuNQoxMQo=", "encoding": "BASE64"});
        let line = json!({
            "captureData": {"endpointInput": input, "endpointOutput": output},
            "eventMetadata": {"eventId": "e", "inferenceId": request, "inferenceTime": "2026-11-22T18:00:00Z"},
            "eventVersion": "0",
        });
        format!("{line}\n")
    });
    let key = format!("cars/capture/{config}/e/AllTraffic/{hour}/{name}.jsonl");
    aws.put_object(BUCKET, &key, lines.collect::<String>());
    requests
        .iter()
        .flat_map(|request| [format!("{request}#0"), format!("{request}#1")])
        .collect()
}

pub fn run(name: &str) -> Value {
    json!({"bucket": BUCKET, "use_case": "cars", "model": "m", "run_id": name})
}

async fn call(aws: &FakeAws, request: Value, threshold: u64) -> Result<Response, Error> {
    call_bounded(aws, request, threshold, (1_000_000, 1_000)).await
}

async fn call_bounded(
    aws: &FakeAws,
    request: Value,
    threshold: u64,
    (most_labels, most_windows): (usize, usize),
) -> Result<Response, Error> {
    let function = ConsolidateCaptures::new(&aws.sdk_config(), BUCKET, threshold);
    let function = function.with_bounds(most_labels, most_windows);
    function.handle(serde_json::from_value(request).unwrap()).await
}

pub async fn try_step(aws: &FakeAws, step: &str, name: &str, tick: &str, minimum: u64) -> Result<Window, Error> {
    let rules = json!({
        "minimum_rows": minimum, "patience_minutes": 1440, "ground_truth_days": 30, "target": "price",
    });
    let request = json!({"step": step, "run": run(name), "tick": tick, "rules": rules});
    let threshold = if minimum == 999 { 10 } else { 1 << 30 };
    match call(aws, request, threshold).await? {
        Response::Window(window) => Ok(*window),
        other @ Response::Commit { .. } => panic!("{other:?}"),
    }
}

/// The same, with these limits for labels and windows.
pub async fn consolidate_bounded(
    aws: &FakeAws,
    name: &str,
    tick: &str,
    minimum: u64,
    bounds: (usize, usize),
) -> Window {
    let rules = json!({
        "minimum_rows": minimum, "patience_minutes": 1440, "ground_truth_days": 30, "target": "price",
    });
    let request = json!({"step": "consolidate", "run": run(name), "tick": tick, "rules": rules});
    match call_bounded(aws, request, 1 << 30, bounds).await.unwrap() {
        Response::Window(window) => *window,
        other @ Response::Commit { .. } => panic!("{other:?}"),
    }
}

/// Consolidates with these rules for reading ground truth.
pub async fn consolidate_by(aws: &FakeAws, name: &str, tick: &str, labels: &Value) -> Window {
    let rules = json!({
        "minimum_rows": 1, "patience_minutes": 60, "ground_truth_days": 30, "target": "price", "labels": labels,
    });
    let request = json!({"step": "consolidate", "run": run(name), "tick": tick, "rules": rules});
    match call(aws, request, 1 << 30).await.unwrap() {
        Response::Window(window) => *window,
        other @ Response::Commit { .. } => panic!("{other:?}"),
    }
}

pub async fn consolidate(aws: &FakeAws, name: &str, tick: &str) -> Window {
    try_step(aws, "consolidate", name, tick, 1).await.unwrap()
}

pub async fn try_commit(aws: &FakeAws, name: &str) -> Result<Committed, Error> {
    match call(aws, json!({"step": "commit", "run": run(name)}), 0).await? {
        Response::Commit { outcome } => Ok(outcome),
        other @ Response::Window(_) => panic!("{other:?}"),
    }
}

pub async fn commit(aws: &FakeAws, name: &str) -> Committed {
    try_commit(aws, name).await.unwrap()
}

pub fn bookmark(aws: &FakeAws) -> Bookmark {
    let bookmark = aws
        .object_json(BUCKET, "use-cases/cars/models/m/bookmark.json")
        .unwrap();
    serde_json::from_value(bookmark).unwrap()
}

/// The rows of all reported files of a table.
fn rows<T: DeserializeOwned>(aws: &FakeAws, table: &str) -> Vec<T> {
    let keys = aws.keys(BUCKET, &format!("cars/reporting/{table}/"));
    let files = keys.iter().map(|key| unpacked(&aws.object(BUCKET, key).unwrap()));
    let text: String = files.collect();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub fn unpacked(bytes: &[u8]) -> String {
    let mut text = String::new();
    MultiGzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}

/// The ids of all reported predictions, in order.
pub fn reported(aws: &FakeAws) -> Vec<String> {
    let mut ids: Vec<String> = rows::<PredictionRow>(aws, "predictions")
        .into_iter()
        .map(|row| row.id)
        .collect();
    ids.sort();
    ids
}

pub fn truths(aws: &FakeAws) -> Vec<GroundTruthRow> {
    rows(aws, "ground_truth")
}

pub fn text(aws: &FakeAws, key: &str) -> String {
    String::from_utf8(aws.object(BUCKET, key).unwrap()).unwrap()
}

pub fn id(name: &str) -> RunId {
    RunId::parse(name).unwrap()
}
