//! Rows too large for one request: they are written in parts, and the object exists only once it is complete.

use crate::account::{BUCKET, CONFIG, account, bookmark, commit, reported, text, try_step, unpacked};
use fake_aws::{FakeAws, Reply};
use serde_json::json;

const TICK: &str = "2026-11-22T19:00:00Z";
const ONE: &str = "20261122t190000z-11111111";
const REQUESTS: usize = 17;
const FIELD_BYTES: usize = 1_000_000;

/// Captures requests with one row each, whose fuel is a long text.
fn capture_long_texts(aws: &FakeAws) -> Vec<String> {
    let mut file = String::new();
    for request in 0..REQUESTS {
        let letter = char::from(b'a' + u8::try_from(request).unwrap());
        let fuel = letter.to_string().repeat(FIELD_BYTES);
        let line = json!({
            "captureData": {
                "endpointInput": {"mode": "INPUT", "data": format!("2015,{fuel}\n"), "encoding": "CSV"},
                "endpointOutput": {"mode": "OUTPUT", "data": "10.5\n", "encoding": "CSV"},
            },
            "eventMetadata": {
                "eventId": "e", "inferenceId": format!("r{request:02}"), "inferenceTime": "2026-11-22T18:00:00Z",
            },
            "eventVersion": "0",
        });
        file += &format!("{line}\n");
    }
    let key = format!("cars/capture/{CONFIG}/e/AllTraffic/2026/11/22/18/00-long.jsonl");
    aws.put_object(BUCKET, &key, file);
    (0..REQUESTS).map(|request| format!("r{request:02}#0")).collect()
}

#[tokio::test]
async fn rows_beyond_one_request_are_written_in_parts() {
    let aws = account();
    let ids = capture_long_texts(&aws);
    let folder = format!("cars/monitoring/m/{ONE}/input");
    aws.fail_next("UploadPart", Reply::error(403, "AccessDenied", "not now"));
    let failed = try_step(&aws, "consolidate", ONE, TICK, 1).await.unwrap_err();
    assert_eq!(failed.error_type(), "AwsCallFailed");
    assert!(failed.to_string().contains("UploadPart"), "{failed}");
    assert_eq!(aws.object(BUCKET, &format!("{folder}/data/rows.csv")), None);
    assert_eq!(bookmark(&aws).next_window, 0);

    let window = try_step(&aws, "consolidate", ONE, TICK, 1).await.unwrap();
    assert_eq!(window.records, REQUESTS as u64);
    let data = text(&aws, &format!("{folder}/data/rows.csv"));
    assert_eq!(data.lines().next(), Some("year,fuel,prediction"));
    assert_eq!(data.lines().count(), REQUESTS + 1);
    for (row, letter) in data.lines().skip(1).zip(b'a'..) {
        let fuel = row.strip_prefix("2015,").and_then(|row| row.strip_suffix(",10.5"));
        let fuel = fuel.unwrap().as_bytes();
        assert!(fuel.len() == FIELD_BYTES && fuel.iter().all(|it| *it == letter));
    }
    let records = aws
        .object(BUCKET, &format!("{folder}/records/part-00000.jsonl.gz"))
        .unwrap();
    assert_eq!(unpacked(&records).lines().count(), REQUESTS);
    commit(&aws, ONE).await;
    assert_eq!(reported(&aws), ids);
}
