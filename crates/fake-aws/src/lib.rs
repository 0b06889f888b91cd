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

mod multipart;
mod request;
mod s3;
mod scripted;
mod sfn;
mod sns;
mod ssm;
mod wire;

pub use request::Request;
pub use scripted::Reply;
pub use sfn::Execution;
pub use sns::Published;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_smithy_types::DateTime;
use serde_json::Value;

use scripted::{Fault, Hook, Script};

/// The region of every client; ARNs carry it.
pub const REGION: &str = "us-east-1";
/// The account of every ARN.
pub const ACCOUNT_ID: &str = "123456789012";

/// The clock's first reading: 2026-11-22T18:30:00Z.
const FIRST_NOW_S: u64 = 1_795_372_200;

/// An AWS account in memory. Clones are the same account.
#[derive(Clone)]
pub struct FakeAws {
    state: Arc<Mutex<State>>,
}

/// What the account holds, what was scripted, and what was called.
pub(crate) struct State {
    now: SystemTime,
    s3: s3::S3,
    ssm: ssm::Ssm,
    sns: sns::Sns,
    sfn: sfn::Sfn,
    hooks: Vec<Hook>,
    faults: BTreeMap<String, VecDeque<Fault>>,
    scripts: Vec<Script>,
    calls: Vec<Request>,
}

impl FakeAws {
    /// An empty account.
    pub fn new() -> Self {
        let state = State {
            now: SystemTime::UNIX_EPOCH + Duration::from_secs(FIRST_NOW_S),
            s3: s3::S3::default(),
            ssm: ssm::Ssm::default(),
            sns: sns::Sns::default(),
            sfn: sfn::Sfn::default(),
            hooks: Vec::new(),
            faults: BTreeMap::new(),
            scripts: Vec::new(),
            calls: Vec::new(),
        };
        FakeAws {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// The configuration of clients that talk to this account: static credentials, [`REGION`], no retries.
    pub fn sdk_config(&self) -> SdkConfig {
        wire::sdk_config(self)
    }

    /// Sets the clock; takes a `SystemTime` or what converts into one, such as `jiff::Timestamp`.
    pub fn set_now(&self, now: impl Into<SystemTime>) {
        self.lock().now = now.into();
    }

    /// The clock's time.
    pub fn now(&self) -> SystemTime {
        self.lock().now
    }

    /// Every call so far, oldest first, including those that failed or were answered by a script.
    pub fn calls(&self) -> Vec<Request> {
        self.lock().calls.clone()
    }

    /// The calls of one operation, oldest first.
    pub fn calls_of(&self, operation: &str) -> Vec<Request> {
        self.lock()
            .calls
            .iter()
            .filter(|call| call.operation == operation)
            .cloned()
            .collect()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // A test that panicked in a script has failed already; the state is still intact.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// S3.
impl FakeAws {
    /// Stores a new version of an object and returns its version id.
    pub fn put_object(&self, bucket: &str, key: &str, content: impl AsRef<[u8]>) -> String {
        let mut state = self.lock();
        let now = DateTime::from(state.now);
        state.s3.put(bucket, key, content.as_ref(), now)
    }

    /// Stores a JSON document as [`FakeAws::put_object`] does.
    pub fn put_object_json(&self, bucket: &str, key: &str, document: &Value) -> String {
        self.put_object(bucket, key, document.to_string())
    }

    /// Deletes an object by a delete marker; its versions stay.
    pub fn delete_object(&self, bucket: &str, key: &str) {
        let mut state = self.lock();
        let now = DateTime::from(state.now);
        state.s3.delete(bucket, key, now);
    }

    /// Deletes a version for good.
    pub fn delete_version(&self, bucket: &str, key: &str, version_id: &str) {
        self.lock().s3.delete_version(bucket, key, version_id);
    }

    /// The current content; `None` if there is no such key, or it is deleted.
    pub fn object(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        self.lock().s3.content(bucket, key)
    }

    /// The current content as JSON; `None` as for [`FakeAws::object`]. Panics if it is not JSON.
    pub fn object_json(&self, bucket: &str, key: &str) -> Option<Value> {
        let content = self.object(bucket, key)?;
        let document = serde_json::from_slice(&content);
        Some(document.unwrap_or_else(|error| panic!("s3://{bucket}/{key} is not JSON: {error}")))
    }

    /// The current entity tag, with its quotes, as clients see it.
    pub fn etag(&self, bucket: &str, key: &str) -> Option<String> {
        self.lock().s3.etag(bucket, key)
    }

    /// The version ids of a key, oldest first, without delete markers.
    pub fn version_ids(&self, bucket: &str, key: &str) -> Vec<String> {
        self.lock().s3.version_ids(bucket, key)
    }

    /// The keys that begin with `prefix` and are not deleted, sorted.
    pub fn keys(&self, bucket: &str, prefix: &str) -> Vec<String> {
        self.lock().s3.keys(bucket, prefix)
    }

    /// The keys of multipart uploads that are neither completed nor aborted, sorted. On AWS they cost money until they
    /// are.
    pub fn uploads(&self, bucket: &str) -> Vec<String> {
        self.lock().s3.open_uploads(bucket)
    }

    /// Limits the pages of ListObjectsV2 (1,000 keys by default), so that a few objects make several pages.
    pub fn set_page_size(&self, keys: usize) {
        self.lock().s3.page_size = keys;
    }
}

/// Parameter Store, SNS and Step Functions.
impl FakeAws {
    /// A parameter's current value.
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.lock().ssm.value(name)
    }

    /// Creates or overwrites a `String` parameter.
    pub fn put_parameter(&self, name: &str, value: &str) {
        let mut state = self.lock();
        let now = DateTime::from(state.now);
        state.ssm.put(name, value, now);
    }

    /// Deletes a parameter.
    pub fn delete_parameter(&self, name: &str) {
        self.lock().ssm.delete(name);
    }

    /// The names of the parameters that begin with `prefix`, sorted.
    pub fn parameter_names(&self, prefix: &str) -> Vec<String> {
        self.lock().ssm.names(prefix)
    }

    /// The published messages, oldest first.
    pub fn published(&self) -> Vec<Published> {
        self.lock().sns.published.clone()
    }

    /// The executions, oldest first.
    pub fn executions(&self) -> Vec<Execution> {
        self.lock().sfn.executions.clone()
    }

    /// Ends the newest execution with this name as `SUCCEEDED`. Panics if there is none.
    pub fn end_execution(&self, name: &str) {
        self.end_execution_as(name, "SUCCEEDED");
    }

    /// Ends the newest execution with this name with a status: `SUCCEEDED`, `FAILED`, `TIMED_OUT`, `ABORTED`. Panics if
    /// there is none.
    pub fn end_execution_as(&self, name: &str, status: &str) {
        let mut state = self.lock();
        let now = DateTime::from(state.now);
        let ended = state.sfn.end(name, status, now);
        drop(state);
        assert!(ended, "there is no execution {name:?} to end");
    }
}

/// Scripts, faults and races. `operation` is the API's name of the operation: `PutObject`, `DescribeEndpoint`, `Invoke`
/// (Lambda), `InvokeEndpoint` (SageMaker Runtime). `matching` is a part of an S3 path (`/bucket/key`), of any other
/// path, or of the body; `""` matches every call.
impl FakeAws {
    /// Answers every call of an operation with the result of a function. The function may use this account.
    pub fn on(&self, operation: &str, answer: impl FnMut(&Request) -> Reply + Send + 'static) {
        self.lock().scripts.push(Script::new(operation, "", answer));
    }

    /// Answers the calls of an operation in order; the last reply repeats.
    pub fn reply(&self, operation: &str, replies: impl IntoIterator<Item = Reply>) {
        self.reply_to(operation, "", replies);
    }

    /// Like [`FakeAws::reply`], but only for the matching calls, such as those of one endpoint.
    pub fn reply_to(&self, operation: &str, matching: &str, replies: impl IntoIterator<Item = Reply>) {
        let script = Script::in_order(operation, matching, replies.into_iter().collect());
        self.lock().scripts.push(script);
    }

    /// Answers the next call of an operation with `reply`, without any other effect. Several faults queue up.
    pub fn fail_next(&self, operation: &str, reply: Reply) {
        let fault = Fault {
            reply,
            after_doing: false,
        };
        self.lock()
            .faults
            .entry(operation.to_owned())
            .or_default()
            .push_back(fault);
    }

    /// Performs the next call of an operation, but answers it with `reply`: the caller cannot know that the call took
    /// effect.
    pub fn fail_next_after_doing(&self, operation: &str, reply: Reply) {
        let fault = Fault {
            reply,
            after_doing: true,
        };
        self.lock()
            .faults
            .entry(operation.to_owned())
            .or_default()
            .push_back(fault);
    }

    /// Forgets the faults that have not happened yet.
    pub fn clear_faults(&self) {
        self.lock().faults.clear();
    }

    /// Runs `change` once, right before the next matching call is answered: what another writer does between two calls
    /// of the code under test.
    pub fn before(&self, operation: &str, matching: &str, change: impl FnOnce(&FakeAws) + Send + 'static) {
        self.lock().hooks.push(Hook::new(operation, matching, change));
    }

    /// Records the call and finds its answer.
    pub(crate) fn answer(&self, request: &Request) -> Reply {
        // Hooks and scripts run without the lock: they may use this account.
        let hooks = self.lock().take_hooks(request);
        for hook in hooks {
            (hook.change)(self);
        }
        let (fault, script) = {
            let mut state = self.lock();
            state.calls.push(request.clone());
            let fault = state.faults.get_mut(&request.operation).and_then(VecDeque::pop_front);
            let script = state
                .scripts
                .iter()
                .rev()
                .find(|script| script.matches(request))
                .cloned();
            (fault, script)
        };
        if let Some(Fault {
            reply,
            after_doing: false,
        }) = fault
        {
            return reply;
        }
        let reply = match script {
            Some(script) => script.answer(request),
            None => self.lock().answer(request),
        };
        fault.map_or(reply, |fault| fault.reply)
    }
}

impl State {
    fn take_hooks(&mut self, request: &Request) -> Vec<Hook> {
        let (due, later) = std::mem::take(&mut self.hooks)
            .into_iter()
            .partition(|hook| hook.matches(request));
        self.hooks = later;
        due
    }

    fn answer(&mut self, request: &Request) -> Reply {
        let now = DateTime::from(self.now);
        let reply = match request.service.as_str() {
            "s3" => self.s3.answer(request, now),
            "ssm" => self.ssm.answer(request, now),
            "sns" => self.sns.answer(request),
            "states" => self.sfn.answer(request, now),
            _ => None,
        };
        reply.unwrap_or_else(|| {
            let Request {
                service,
                operation,
                method,
                path,
                ..
            } = request;
            let message = format!("fake-aws has no answer to {service} {operation} ({method} {path}): script one");
            Reply::error(400, "UnscriptedCall", message)
        })
    }
}

impl Default for FakeAws {
    fn default() -> Self {
        FakeAws::new()
    }
}

impl fmt::Debug for FakeAws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FakeAws")
    }
}
