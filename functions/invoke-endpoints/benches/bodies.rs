//! Measures the peak memory of requests with unusual bodies of 5 MB, less the memory resident before the request.
//!
//!     cargo bench -p invoke-endpoints --bench bodies
//!
//! Each body is sent in a process of its own. The body itself is in memory three times: as API Gateway's event, as
//! text, and as what the models are sent.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use aws_lambda_events::apigw::ApiGatewayProxyRequest;
use contracts::places::{parameters, use_case};
use fake_aws::{FakeAws, Reply};
use invoke_endpoints::{Function, Limits};
use serde_json::json;
use std::process::Command;

const BYTES: usize = 5 << 20;
/// With a thousand columns: nearly 5 MB.
const WIDE_ROWS: usize = 460;
const BODIES: [&str; 8] = [
    "nothing odd",
    "wide rows",
    "empty instances",
    "tiny keys",
    "one key over and over",
    "a long text",
    "deep lists",
    "a CSV of commas",
];

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(name) = arguments.iter().find_map(|argument| argument.strip_prefix("body=")) {
        measure(name).await;
    } else if arguments.iter().any(|argument| argument == "--bench") {
        println!("{:<24} {:>7} {:>9}", "a body of 5 MB", "status", "peak MB");
        for name in BODIES {
            let program = std::env::current_exe().unwrap();
            assert!(
                Command::new(program)
                    .arg(format!("body={name}"))
                    .status()
                    .unwrap()
                    .success()
            );
        }
    } // A test runner builds benches and only asks for their tests: there are none.
}

fn body(name: &str) -> (&'static str, String) {
    let fill = |head: &str, one: &str, tail: &str| {
        let times = (BYTES - head.len() - tail.len() - 1) / one.len();
        format!("{head}{}{tail}", one.repeat(times))
    };
    let json = "application/json";
    match name {
        "nothing odd" => (json, json!({"instances": vec![json!({"c0": 1}); 500]}).to_string()),
        "wide rows" => {
            let row: Vec<String> = (0..1_000).map(|column| format!("\"c{column}\":1234")).collect();
            let row = format!("{{{}}}", row.join(","));
            let rows = vec![row.as_str(); WIDE_ROWS];
            (json, format!("{{\"instances\":[{}]}}", rows.join(",")))
        }
        "empty instances" => (json, fill("{\"instances\":[{}", ",{}", "]}")),
        "tiny keys" => {
            let mut keys = String::from("{\"instances\":[{\"a\":0");
            for number in 0.. {
                if keys.len() + 20 > BYTES {
                    break;
                }
                keys.push_str(&format!(",\"{number:x}\":0"));
            }
            (json, keys + "}]}")
        }
        "one key over and over" => (json, fill("{\"instances\":[{\"c0\":0", ",\"c0\":0", "}]}")),
        "a long text" => (json, fill("{\"instances\":[{\"c0\":\"", "x", "\"}]}")),
        "deep lists" => (json, fill("{\"instances\":[{\"c0\":", "[", "")),
        _ => ("text/csv", fill("", ",", "\n")),
    }
}

async fn measure(name: &str) {
    let aws = FakeAws::new();
    let columns: Vec<_> = (0..1_000)
        .map(|number| json!({"name": format!("c{number}"), "type": "number", "required": number == 0}))
        .collect();
    let names: Vec<String> = (0..1_000).map(|number| format!("c{number}")).collect();
    let document = json!({
        "use_case": "wide", "schema": {"columns": columns}, "target": {"name": "y"},
        "models": [{"name": "m", "algorithm": "xgboost", "metric": {"name": "validation:rmse"}, "threshold_rmse": 1}],
    })
    .to_string();
    let key = use_case::config("wide");
    let version_id = aws.put_object("bucket", &key, &document);
    let sha256 = contracts::pointer::sha256(document.as_bytes());
    let pointer = json!({"uri": format!("s3://bucket/{key}"), "version_id": version_id, "sha256": sha256});
    aws.put_parameter(&parameters::config("dev", "wide"), &pointer.to_string());
    let champion = json!({
        "use_case": "wide", "model": "m", "run_id": "20261122t183000z-ab12cd34", "config_version": "v", "image": "image",
        "training_job": "job", "model_name": "pipeline", "endpoint_name": "m", "endpoint_config": "config",
        "variant_name": "main", "schema_hash": "a1b2c3", "columns": names, "holdout_rmse": 1.0, "holdout_rows": 7,
        "exported_at": "2026-11-22T19:00:00Z",
    });
    aws.put_object_json("bucket", &use_case::champion("wide", "m"), &champion);
    let values = |rows| Reply::bytes(200, "text/csv", "1\n".repeat(rows));
    aws.reply("InvokeEndpoint", [values(500), values(WIDE_ROWS)]);
    let function = Function::new(
        &aws.sdk_config(),
        "dev".to_owned(),
        "bucket".to_owned(),
        Limits::default(),
    );
    let event = |(content_type, body): (&str, String)| -> ApiGatewayProxyRequest {
        serde_json::from_value(json!({
            "httpMethod": "POST",
            "headers": {"Content-Type": content_type},
            "pathParameters": {"use_case": "wide"},
            "requestContext": {"requestId": "r", "httpMethod": "POST"},
            "body": body,
        }))
        .unwrap()
    };
    // A first request creates whatever is created only once.
    let first = function.handle(event(body("nothing odd"))).await;
    assert_eq!(first.status_code, 200, "{:?}", first.body);
    let event = event(body(name));
    let before = memory_mb("VmRSS:");
    // The peak so far comes from making the event; it is reset, to measure the request.
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    let answer = function.handle(event).await;
    println!(
        "{name:<24} {:>7} {:>9.1}",
        answer.status_code,
        memory_mb("VmHWM:") - before
    );
}

fn memory_mb(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let kb: f64 = line.trim().strip_suffix("kB").unwrap().trim().parse().unwrap();
    kb / 1024.0
}
