//! Data capture: an endpoint's requests and responses, as files in S3.
//!
//! A request only hands over its bytes (shared, not copied). A task of the deployment encodes and writes them about
//! once a second. Capture never delays a request or makes it fail: when S3 refuses records, they are tried again with
//! the next file, and discarded only when the deployment has ended.
//!
//! Files: `{DestinationS3Uri}/{endpoint}/{variant}/yyyy/mm/dd/hh/MM-SS-mmm-<uuid>.jsonl`, times in UTC, one file never
//! spanning two hours.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine;
use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::models::endpoint_config::{CaptureMode, DataCaptureConfig};
use crate::s3::{S3, S3Uri};

/// How long records wait for others before they are written.
const FLUSH_INTERVAL: Duration = Duration::from_secs(1);
/// Number of attempts to write the last file of a deployment that has ended.
const LAST_ATTEMPTS: u32 = 3;

fn captures(config: &DataCaptureConfig, side: CaptureMode) -> bool {
    let mut modes = config.capture_options.iter().map(|option| option.capture_mode);
    modes.any(|mode| mode == side || mode == CaptureMode::InputAndOutput)
}

/// AWS compares the header literally: `text/csv; charset=utf-8` is not `text/csv`.
fn encoding(config: &DataCaptureConfig, content_type: &str) -> &'static str {
    let listed = |types: &[String]| types.iter().any(|listed| listed == content_type);
    match &config.capture_content_type_header {
        Some(header) if listed(&header.csv_content_types) => "CSV",
        Some(header) if listed(&header.json_content_types) => "JSON",
        _ => "BASE64",
    }
}

/// One side of an invocation: its content type and body.
#[derive(Debug, Clone, Default)]
pub struct Payload {
    /// Empty when the header was absent.
    pub content_type: String,
    /// The bytes as sent or received.
    pub body: Bytes,
}

/// An invocation to record.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Time of the request.
    pub time: Timestamp,
    /// The endpoint's first input.
    pub input: Payload,
    /// Its last output.
    pub output: Payload,
    /// `InferenceId` of the request.
    pub inference_id: Option<String>,
    /// `CustomAttributes` of the request.
    pub custom_attributes: Option<String>,
}

/// Takes the requests of one variant of a deployment. Dropping it writes the remaining records.
#[derive(Debug)]
pub struct Capture {
    config: Arc<DataCaptureConfig>,
    asked: AtomicU64,
    sender: UnboundedSender<Invocation>,
}

impl Capture {
    /// Starts the writer for an endpoint's variant. Its handle ends once the capture is dropped and everything is
    /// written.
    ///
    /// # Errors
    /// A text that says what is wrong with the destination.
    pub fn start(
        config: DataCaptureConfig,
        endpoint: &str,
        variant: &str,
        s3: S3,
    ) -> Result<(Self, JoinHandle<()>), String> {
        let destination = S3Uri::parse(&config.destination_s3_uri)
            .ok_or_else(|| {
                format!(
                    "DestinationS3Uri \"{}\" is not an s3:// address",
                    config.destination_s3_uri
                )
            })?
            .join(&format!("{endpoint}/{variant}"));
        let config = Arc::new(config);
        let (sender, receiver) = unbounded_channel();
        let writer = Writer {
            destination,
            config: Arc::clone(&config),
            s3,
            waiting: Vec::new(),
        };
        Ok((
            Self {
                config,
                asked: AtomicU64::new(0),
                sender,
            },
            tokio::spawn(writer.run(receiver)),
        ))
    }

    /// Whether this request belongs to the sampled share, which is spread evenly. Call it once for each request.
    pub fn samples(&self) -> bool {
        sampled(
            self.asked.fetch_add(1, Ordering::Relaxed),
            self.config.initial_sampling_percentage,
        )
    }

    /// Hands an invocation to the writer.
    pub fn record(&self, invocation: Invocation) {
        // Fails only if the writer has ended with the runtime, when nothing could write the record.
        let _ = self.sender.send(invocation);
    }
}

fn sampled(number: u64, percentage: u32) -> bool {
    let percentage = u64::from(percentage.min(100));
    (number + 1) * percentage / 100 > number * percentage / 100
}

struct Writer {
    destination: S3Uri,
    config: Arc<DataCaptureConfig>,
    s3: S3,
    waiting: Vec<Invocation>,
}

impl Writer {
    async fn run(mut self, mut receiver: UnboundedReceiver<Invocation>) {
        let mut tick = tokio::time::interval(FLUSH_INTERVAL);
        loop {
            tokio::select! {
                received = receiver.recv() => match received {
                    Some(invocation) => self.waiting.push(invocation),
                    None => break,
                },
                _ = tick.tick() => self.flush().await,
            }
        }
        for _ in 0..LAST_ATTEMPTS {
            self.flush().await;
            if self.waiting.is_empty() {
                return;
            }
        }
        tracing::error!(destination = %self.destination, records = self.waiting.len(), "captured records are lost");
    }

    async fn flush(&mut self) {
        while let Some(first) = self.waiting.first() {
            let hour = first.time.strftime(HOUR).to_string();
            let same_hour = self
                .waiting
                .iter()
                .take_while(|other| other.time.strftime(HOUR).to_string() == hour);
            let count = same_hour.count();
            let key = file_key(first.time, Uuid::new_v4());
            let lines: String = self.waiting[..count]
                .iter()
                .map(|invocation| line(&self.config, invocation))
                .collect();
            match self.s3.put(&self.destination.join(&key), Bytes::from(lines)).await {
                Ok(()) => drop(self.waiting.drain(..count)),
                Err(error) => {
                    tracing::warn!(destination = %self.destination, %error, "capture file not written; tried again");
                    return;
                }
            }
        }
    }
}

const HOUR: &str = "%Y/%m/%d/%H";

fn file_key(time: Timestamp, id: Uuid) -> String {
    let milliseconds = time.as_millisecond().rem_euclid(1000);
    format!("{}-{milliseconds:03}-{id}.jsonl", time.strftime("%Y/%m/%d/%H/%M-%S"))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'i> {
    capture_data: CaptureData<'i>,
    event_metadata: EventMetadata<'i>,
    event_version: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CaptureData<'i> {
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint_input: Option<Side<'i>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint_output: Option<Side<'i>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Side<'i> {
    observed_content_type: &'i str,
    mode: &'static str,
    data: String,
    encoding: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventMetadata<'i> {
    event_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    inference_id: Option<&'i str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_attributes: Option<[&'i str; 1]>,
    inference_time: String,
}

impl<'i> Side<'i> {
    /// The side in the form in which the configuration records it; none if it doesn't.
    fn of(config: &DataCaptureConfig, side: CaptureMode, mode: &'static str, payload: &'i Payload) -> Option<Self> {
        if !captures(config, side) {
            return None;
        }
        let (data, encoding) = match (
            encoding(config, &payload.content_type),
            std::str::from_utf8(&payload.body),
        ) {
            ("BASE64", _) | (_, Err(_)) => (
                base64::engine::general_purpose::STANDARD.encode(&payload.body),
                "BASE64",
            ),
            (encoding, Ok(text)) => (text.to_owned(), encoding),
        };
        Some(Self {
            observed_content_type: &payload.content_type,
            mode,
            data,
            encoding,
        })
    }
}

/// The JSON line for an invocation, with its line end.
fn line(config: &DataCaptureConfig, invocation: &Invocation) -> String {
    let line = Line {
        capture_data: CaptureData {
            endpoint_input: Side::of(config, CaptureMode::Input, "INPUT", &invocation.input),
            endpoint_output: Side::of(config, CaptureMode::Output, "OUTPUT", &invocation.output),
        },
        event_metadata: EventMetadata {
            event_id: Uuid::new_v4().to_string(),
            inference_id: invocation.inference_id.as_deref(),
            custom_attributes: invocation.custom_attributes.as_deref().map(|attributes| [attributes]),
            inference_time: invocation.time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        },
        event_version: "0",
    };
    // Strings, arrays and objects with string keys always serialize.
    serde_json::to_string(&line).unwrap_or_default() + "\n"
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn config(options: &Value, header: &Value) -> DataCaptureConfig {
        serde_json::from_value(json!({
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": "s3://bucket/capture",
            "CaptureOptions": options,
            "CaptureContentTypeHeader": header,
        }))
        .unwrap()
    }

    fn both() -> Value {
        json!([{"CaptureMode": "Input"}, {"CaptureMode": "Output"}])
    }

    fn invocation() -> Invocation {
        Invocation {
            time: "2026-11-22T18:30:05.042Z".parse().unwrap(),
            input: Payload {
                content_type: "text/csv".into(),
                body: Bytes::from_static(b"1,\"a\"\n"),
            },
            output: Payload {
                content_type: "text/csv; charset=utf-8".into(),
                body: Bytes::from_static(b"12.5\n"),
            },
            inference_id: Some("id-1".into()),
            custom_attributes: None,
        }
    }

    fn recorded(config: &DataCaptureConfig, invocation: &Invocation) -> Value {
        let mut value: Value = serde_json::from_str(&line(config, invocation)).unwrap();
        let id = value["eventMetadata"]
            .as_object_mut()
            .unwrap()
            .remove("eventId")
            .unwrap();
        assert!(id.as_str().unwrap().parse::<Uuid>().is_ok());
        value
    }

    #[test]
    fn a_listed_content_type_is_text_and_every_other_base64() {
        let config = config(
            &both(),
            &json!({"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]}),
        );
        assert_eq!(
            recorded(&config, &invocation()),
            json!({
                "captureData": {
                    "endpointInput":
                        {"observedContentType": "text/csv", "mode": "INPUT", "data": "1,\"a\"\n", "encoding": "CSV"},
                    "endpointOutput": {
                        "observedContentType": "text/csv; charset=utf-8", "mode": "OUTPUT", "data": "MTIuNQo=",
                        "encoding": "BASE64"
                    },
                },
                "eventMetadata": {"inferenceId": "id-1", "inferenceTime": "2026-11-22T18:30:05Z"},
                "eventVersion": "0",
            })
        );
    }

    #[test]
    fn only_the_sides_asked_for_are_recorded() {
        let record = recorded(&config(&json!([{"CaptureMode": "Output"}]), &json!({})), &invocation());
        assert!(record["captureData"].get("endpointInput").is_none());
        assert_eq!(record["captureData"]["endpointOutput"]["encoding"], "BASE64");
        let record = recorded(
            &config(&json!([{"CaptureMode": "InputAndOutput"}]), &json!({})),
            &invocation(),
        );
        assert_eq!(record["captureData"].as_object().unwrap().len(), 2);
    }

    #[test]
    fn bytes_that_are_no_text_are_base64_whatever_is_listed() {
        let mut invocation = invocation();
        invocation.input.body = Bytes::from_static(&[0xff, 0x00]);
        let record = recorded(&config(&both(), &json!({"CsvContentTypes": ["text/csv"]})), &invocation);
        assert_eq!(record["captureData"]["endpointInput"]["encoding"], "BASE64");
    }

    #[test]
    fn the_share_is_exact_and_spread_evenly() {
        for percentage in [0, 1, 33, 50, 99, 100] {
            let count = (0..1000).filter(|number| sampled(*number, percentage)).count();
            assert_eq!(count, percentage as usize * 10);
        }
        assert!((0..10).all(|start| (0..2).any(|next| sampled(start + next, 50))));
    }

    #[test]
    fn keys_sort_by_time() {
        let key = file_key("2026-11-22T08:03:05.007Z".parse().unwrap(), Uuid::nil());
        assert_eq!(
            key,
            "2026/11/22/08/03-05-007-00000000-0000-0000-0000-000000000000.jsonl"
        );
    }
}
