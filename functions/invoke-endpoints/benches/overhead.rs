//! Measures what the function adds to the slower of two endpoints: 200 warm requests through the real SDK clients.
//!
//!     cargo bench -p invoke-endpoints                 # as it ships
//!     cargo bench -p invoke-endpoints --profile dev   # only whether it works
//!
//! A child process (this program again) stands for AWS on 127.0.0.1: S3, Parameter Store, and two endpoints that answer
//! after about 15 and 20 ms. It records how long the slower one took for each request, from the last byte of the
//! request to the first of the answer. The rest of `handle`'s time is the overhead: reading, checking, signing, HTTP,
//! combining. The goal: p50 ≤ 2 ms, p99 ≤ 5 ms, ≤ 30 MB resident.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use aws_lambda_events::apigw::ApiGatewayProxyRequest;
use invoke_endpoints::{Function, Limits};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const WARMING: usize = 20;
const REQUESTS: usize = 200;
const INSTANCES: usize = 10;
const SERVE: &str = "serve-as-aws";
const VERSION: &str = "20261122t183000z-ab12cd34";

/// Milliseconds that the slower endpoint took, by inference id.
type Took = Arc<Mutex<HashMap<String, f64>>>;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|argument| argument == SERVE) {
        serve().await;
    } else if arguments.iter().any(|argument| argument == "--bench") {
        measure().await;
    } // A test runner builds benches and only asks for their tests: there are none.
}

async fn measure() {
    let mut server = Command::new(std::env::current_exe().unwrap())
        .arg(SERVE)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(server.stdout.take().unwrap());
    let mut url = String::new();
    output.read_line(&mut url).unwrap();
    // An account's credentials and region, but with the SDK's own HTTP client.
    let mut config = fake_aws::FakeAws::new().sdk_config().into_builder();
    config.set_http_client(None);
    let config = config.endpoint_url(url.trim()).build();
    let function = Function::new(&config, "dev".to_owned(), "bucket".to_owned(), Limits::default());
    let mut total_ms = HashMap::new();
    for number in 0..WARMING + REQUESTS {
        let id = format!("request-{number}");
        let event = event(&id);
        let started = Instant::now();
        let answer = function.handle(event).await;
        let elapsed_ms = started.elapsed().as_secs_f64() * 1000.0;
        assert_eq!(answer.status_code, 200, "{:?}", answer.body);
        if number >= WARMING {
            total_ms.insert(id, elapsed_ms);
        }
    }
    let resident_mb = resident_mb();
    // The end of its input stops the server, which then prints what the endpoints took.
    drop(server.stdin.take());
    let mut took = String::new();
    output.read_to_string(&mut took).unwrap();
    server.wait().unwrap();
    let took: HashMap<String, f64> = serde_json::from_str(&took).unwrap();
    let mut overhead_ms: Vec<f64> = total_ms.iter().map(|(id, total_ms)| total_ms - took[id]).collect();
    overhead_ms.sort_by(f64::total_cmp);
    println!("{REQUESTS} requests of {INSTANCES} instances, two endpoints");
    println!("overhead p50  {:6.2} ms  (goal 2)", overhead_ms[REQUESTS / 2]);
    println!("overhead p99  {:6.2} ms  (goal 5)", overhead_ms[REQUESTS * 99 / 100]);
    match resident_mb {
        Some(resident_mb) => println!("resident      {resident_mb:6.1} MB  (goal 30)"),
        None => println!("resident      unknown: only Linux says"),
    }
}

fn event(inference_id: &str) -> ApiGatewayProxyRequest {
    let instance = json!({"year": 2015, "model": "C-Class, C 300", "odometer_mi": 60000, "fuel": "gas"});
    let body = json!({"inference_id": inference_id, "instances": vec![instance; INSTANCES]});
    serde_json::from_value(json!({
        "httpMethod": "POST",
        "headers": {"Content-Type": "application/json"},
        "pathParameters": {"use_case": "used-car-price"},
        "requestContext": {"requestId": inference_id, "httpMethod": "POST"},
        "body": body.to_string(),
    }))
    .unwrap()
}

fn resident_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kb: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kb / 1024.0)
}

/// Stands for AWS until standard input ends.
async fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("http://{}", listener.local_addr().unwrap());
    let took = Took::default();
    let accepting = tokio::spawn({
        let took = took.clone();
        async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                tokio::spawn(connection(stream, took.clone()));
            }
        }
    });
    let mut rest = Vec::new();
    tokio::io::stdin().read_to_end(&mut rest).await.unwrap();
    accepting.abort();
    println!("{}", json!(*took.lock().unwrap()));
}

/// Serves the requests of one connection, one after the other; `None` ends it.
async fn connection(mut stream: TcpStream, took: Took) -> Option<()> {
    let mut received = Vec::new();
    loop {
        let head_end = loop {
            if let Some(at) = received.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            read_more(&mut stream, &mut received).await?;
        };
        let head = String::from_utf8_lossy(&received[..head_end]).into_owned();
        let header = |name: &str| {
            let found = head.lines().filter_map(|line| line.split_once(':'));
            found
                .into_iter()
                .find(|(found, _)| found.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.trim().to_owned())
        };
        let length: usize = header("content-length").map_or(0, |length| length.parse().unwrap());
        while received.len() < head_end + length {
            read_more(&mut stream, &mut received).await?;
        }
        let started = Instant::now();
        let body = received[head_end..head_end + length].to_vec();
        received.drain(..head_end + length);
        let path = head.split(' ').nth(1)?;
        let answer = answer(path, &body).await;
        let text = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: {}\r\ncontent-length: {}\r\netag: \"e\"\r\n\r\n{}",
            answer.0,
            answer.1.len(),
            answer.1
        );
        if let Some(id) = header("x-amzn-sagemaker-inference-id") {
            let elapsed_ms = started.elapsed().as_secs_f64() * 1000.0;
            let mut took = took.lock().unwrap();
            let slower = took.entry(id).or_insert(0.0);
            *slower = slower.max(elapsed_ms);
        }
        stream.write_all(text.as_bytes()).await.ok()?;
    }
}

async fn read_more(stream: &mut TcpStream, received: &mut Vec<u8>) -> Option<usize> {
    stream.read_buf(received).await.ok().filter(|count| *count > 0)
}

/// Content type and body.
async fn answer(path: &str, body: &[u8]) -> (&'static str, String) {
    if let Some(endpoint) = path.strip_prefix("/endpoints/") {
        let fast = endpoint.starts_with("fast/");
        tokio::time::sleep(Duration::from_millis(if fast { 15 } else { 20 })).await;
        let rows = body.iter().filter(|byte| **byte == b'\n').count();
        ("text/csv", "18250.4\n".repeat(rows))
    } else if path.contains("/config.json") {
        ("application/json", document())
    } else if path.contains("/fast/champion.json") {
        ("application/json", champion("fast").to_string())
    } else if path.contains("/slow/champion.json") {
        ("application/json", champion("slow").to_string())
    } else {
        let sha256 = contracts::pointer::sha256(document().as_bytes());
        let uri = "s3://bucket/use-cases/used-car-price/config.json";
        let pointer = json!({"uri": uri, "version_id": "v", "sha256": sha256}).to_string();
        (
            "application/x-amz-json-1.1",
            json!({"Parameter": {"Name": "config", "Value": pointer}}).to_string(),
        )
    }
}

fn document() -> String {
    let model = |name: &str| json!({"name": name, "algorithm": "xgboost", "metric": {"name": "validation:rmse"}, "threshold_rmse": 8000});
    json!({
        "use_case": "used-car-price",
        "schema": {"columns": [
            {"name": "year", "type": "integer", "required": true},
            {"name": "model", "type": "category"},
            {"name": "odometer_mi", "type": "number"},
            {"name": "fuel", "type": "category", "categories": {"open": true, "values": ["gas", "diesel"]}},
        ]},
        "target": {"name": "price_USD"},
        "models": [model("fast"), model("slow")],
    })
    .to_string()
}

fn champion(model: &str) -> Value {
    json!({
        "use_case": "used-car-price", "model": model, "run_id": VERSION, "config_version": "v", "image": "image",
        "training_job": "job", "model_name": "pipeline", "endpoint_name": model, "endpoint_config": "config",
        "variant_name": "main", "schema_hash": "a1b2c3", "columns": ["year", "model", "odometer_mi", "fuel"],
        "holdout_rmse": 4000.0, "holdout_rows": 700, "exported_at": "2026-11-22T19:00:00Z",
    })
}
