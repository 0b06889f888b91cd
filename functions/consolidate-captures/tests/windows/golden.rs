//! Captures of every kind give what `tests/golden` has; the Glue job's tests read the same files.

use crate::account::{champion, clock, unpacked};
use consolidate_captures::{ConsolidateCaptures, Response};
use contracts::monitoring::Sources;
use fake_aws::FakeAws;
use serde_json::{Value, json};
use std::path::Path;

const RUN: &str = "20261122t200000z-99999999";

#[tokio::test]
async fn captures_become_the_golden_rows() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let read = |name: &str| std::fs::read_to_string(golden.join(name)).unwrap();
    let sources: Sources = serde_json::from_str(&read("sources.json")).unwrap();
    let aws = FakeAws::new();
    for file in &sources.files {
        clock(&aws, &file.last_modified.to_string());
        let key = file.uri.strip_prefix("s3://bucket/").unwrap();
        aws.put_object("bucket", key, std::fs::read(golden.join("bucket").join(key)).unwrap());
    }
    let mut owner = champion(
        &sources.champion.to_string(),
        &sources.endpoint_config,
        "2026-11-20T00:00:00Z",
        None,
    );
    owner["columns"] = json!(sources.columns);
    owner["model"] = json!(sources.model);
    let key = format!("use-cases/cars/models/{}/champion.json", sources.model);
    aws.put_object("bucket", &key, owner.to_string());
    let function = ConsolidateCaptures::new(&aws.sdk_config(), "bucket", 1 << 30);
    let request = json!({
        "step": "consolidate", "tick": "2026-11-22T20:00:00Z",
        "run": {"bucket": "bucket", "use_case": "cars", "model": sources.model, "run_id": RUN},
        "rules": {"minimum_rows": 1, "patience_minutes": 60, "ground_truth_days": 30, "target": "price"},
    });
    let answer = function.handle(serde_json::from_value(request).unwrap()).await.unwrap();
    let Response::Window(window) = answer else {
        panic!("{answer:?}")
    };

    let folder = format!("cars/monitoring/{}/{RUN}/", sources.model);
    let made: Sources =
        serde_json::from_value(aws.object_json("bucket", &format!("{folder}sources.json")).unwrap()).unwrap();
    let uris = |sources: &Sources| -> Vec<String> {
        let mut uris: Vec<String> = sources.files.iter().map(|file| file.uri.clone()).collect();
        uris.sort();
        uris
    };
    assert_eq!(uris(&made), uris(&sources));
    let data = aws.object("bucket", &format!("{folder}input/data/rows.csv")).unwrap();
    let rows = |text: &str| -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(text.as_bytes());
        let mut rows: Vec<Vec<String>> = reader
            .records()
            .map(|row| row.unwrap().iter().map(str::to_owned).collect())
            .collect();
        rows[1..].sort();
        rows
    };
    assert_eq!(
        rows(std::str::from_utf8(&data).unwrap()),
        rows(&read("expected/data.csv"))
    );
    let records = |text: &str| -> Vec<String> {
        let mut records: Vec<String> = text
            .lines()
            .map(|line| {
                let mut record: Value = serde_json::from_str(line).unwrap();
                // The same moment may be written in several ways.
                let time: jiff::Timestamp = record["time"].as_str().unwrap().parse().unwrap();
                record["time"] = json!(time);
                record.to_string()
            })
            .collect();
        records.sort();
        records
    };
    let made = aws
        .object("bucket", &format!("{folder}input/records/part-00000.jsonl.gz"))
        .unwrap();
    assert_eq!(records(&unpacked(&made)), records(&read("expected/records.jsonl")));
    let expected: Value = serde_json::from_str(&read("expected/consolidated.json")).unwrap();
    let found = json!({
        "records": window.records, "batch_records": window.batch_records, "skipped": window.skipped,
        "scoring_runs": window.scoring_runs,
    });
    assert_eq!(found, expected, "{found:#}");
}
