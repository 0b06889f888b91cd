//! An in-memory AWS behind the SDK's own HTTP client, for unit tests.
//!
//! A test makes a [`FakeAws`], stores what the code under test is to find, builds real SDK clients from
//! [`FakeAws::sdk_config`], and afterwards checks what was stored, published, started or called. The SDK serialises,
//! signs and parses as it always does; only the network is missing.
//!
//! ```
//! # async fn example() {
//! use fake_aws::{FakeAws, Reply};
//! use serde_json::json;
//!
//! let aws = FakeAws::new();
//! aws.put_object("bucket", "use-cases/cars/config.json", br#"{"version": 3}"#);
//! aws.put_parameter("/drivetrain/dev/cars/config", "s3://bucket/use-cases/cars/config.json");
//! aws.reply("DescribeEndpoint", [
//!     Reply::json(200, json!({"EndpointName": "cars", "EndpointStatus": "Updating"})),
//!     Reply::json(200, json!({"EndpointName": "cars", "EndpointStatus": "InService"})), // and from then on
//! ]);
//! // Somebody else writes the champion just before the code under test does.
//! aws.before("PutObject", "champion.json", |aws| {
//!     aws.put_object("bucket", "use-cases/cars/models/xgboost/champion.json", b"theirs");
//! });
//! aws.fail_next("Publish", Reply::error(400, "AuthorizationError", "not authorized to publish"));
//!
//! let config = aws.sdk_config(); // aws_sdk_s3::Client::new(&config), …
//! // … call the code under test …
//!
//! assert!(aws.published().is_empty());
//! assert_eq!(aws.keys("bucket", "use-cases/"), ["use-cases/cars/config.json"]);
//! assert_eq!(aws.calls_of("DescribeEndpoint").len(), 0);
//! # }
//! ```
//!
//! # What answers a call
//!
//! In this order: a fault ([`FakeAws::fail_next`]); a script ([`FakeAws::on`], [`FakeAws::reply`],
//! [`FakeAws::reply_to`]; the newest that matches); the built-in service:
//!
//! | service | operations | kept from the real one |
//! |---|---|---|
//! | S3 | GetObject, HeadObject, PutObject, CopyObject, DeleteObject, DeleteObjects, ListObjectsV2, ListObjectVersions, HeadBucket | versions, delete markers, conditional reads and writes, ranges, pages |
//! | | CreateMultipartUpload, UploadPart, CompleteMultipartUpload, AbortMultipartUpload | least size, order and tags of parts |
//! | SSM | GetParameter, GetParameters, GetParametersByPath, PutParameter, DeleteParameter | versions, `Overwrite`, size limits, pages |
//! | SNS | Publish | limits of subject and message |
//! | Step Functions | StartExecution, DescribeExecution, ListExecutions | a name's idempotency |
//!
//! Every other call is answered with 400 `UnscriptedCall` and a text that names the call. Buckets, topics and state
//! machines need not be created: any name exists. Access is never refused, unless a script does so.
//!
//! # Time
//!
//! Stored objects and executions carry the time set by [`FakeAws::set_now`]; the clock does not advance by itself. A
//! [`Reply::delayed`] sleeps on tokio's clock: with `#[tokio::test(start_paused = true)]` no real time passes (tokio's
//! `test-util` feature).
//!
//! Deliberately absent: an HTTP server (that is what the local stack is for), SageMaker's behaviour, and anything that
//! needs the SDK crates' `test-util` features, which would compile those crates a second time.

mod account;
mod identity;
mod multipart;
mod request;
mod s3;
mod scripted;
mod sfn;
mod sns;
mod ssm;
mod wire;
mod xml;

pub use account::FakeAws;
pub use identity::{ACCOUNT_ID, REGION};
pub use request::Request;
pub use scripted::Reply;
pub use sfn::Execution;
pub use sns::Published;
