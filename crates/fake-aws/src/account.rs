//! The account: what it holds, and what answers a call.

use crate::scripted::{Fault, Script};
use crate::{Execution, Published, Reply, Request, s3, sfn, sns, ssm};
use aws_smithy_types::DateTime;
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

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

/// A change right before a call.
pub(crate) struct Hook {
    operation: String,
    matching: String,
    pub(crate) change: Box<dyn FnOnce(&FakeAws) + Send>,
}

impl Hook {
    pub(crate) fn new(operation: &str, matching: &str, change: impl FnOnce(&FakeAws) + Send + 'static) -> Hook {
        Hook {
            operation: operation.to_owned(),
            matching: matching.to_owned(),
            change: Box::new(change),
        }
    }

    pub(crate) fn matches(&self, request: &Request) -> bool {
        self.operation == request.operation && request.is_about(&self.matching)
    }
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

    /// Sets the clock; takes a `SystemTime` or what converts into one, such as `jiff::Timestamp`.
    pub fn set_now(&self, now: impl Into<SystemTime>) {
        self.lock().now = now.into();
    }

    /// What the clock says.
    pub fn now(&self) -> SystemTime {
        self.lock().now
    }

    /// Every call so far, oldest first, those that failed or were answered by a script too.
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
        // A test that panicked in a script is already failing: its state is still good to look at.
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

    /// The current content; `None` where there is no such key, or it is deleted.
    pub fn object(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        self.lock().s3.content(bucket, key)
    }

    /// The current content as JSON; `None` as for [`FakeAws::object`]. Panics where it is not JSON.
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

    /// The keys of multipart uploads that are neither completed nor aborted, sorted: they cost money until they are.
    pub fn uploads(&self, bucket: &str) -> Vec<String> {
        self.lock().s3.open_uploads(bucket)
    }

    /// Limits a page of ListObjectsV2 (1,000 keys otherwise), so that a few objects make several pages.
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

    /// What was published, oldest first.
    pub fn published(&self) -> Vec<Published> {
        self.lock().sns.published.clone()
    }

    /// The executions, oldest first.
    pub fn executions(&self) -> Vec<Execution> {
        self.lock().sfn.executions.clone()
    }

    /// Ends the newest execution of that name as `SUCCEEDED`. Panics where there is none.
    pub fn end_execution(&self, name: &str) {
        self.end_execution_as(name, "SUCCEEDED");
    }

    /// Ends the newest execution of that name with a status: `SUCCEEDED`, `FAILED`, `TIMED_OUT`, `ABORTED`.
    /// Panics where there is none.
    pub fn end_execution_as(&self, name: &str, status: &str) {
        let mut state = self.lock();
        let now = DateTime::from(state.now);
        let ended = state.sfn.end(name, status, now);
        drop(state);
        assert!(ended, "there is no execution {name:?} to end");
    }
}

/// Scripts, faults and races. `operation` is the API's name of it: `PutObject`, `DescribeEndpoint`, `Invoke`
/// (Lambda), `InvokeEndpoint` (SageMaker Runtime). `matching` is a part of an S3 path (`/bucket/key`), of any
/// other path, or of the body; `""` matches every call.
impl FakeAws {
    /// Answers every call of an operation by a function. The function may use this account.
    pub fn on(&self, operation: &str, answer: impl FnMut(&Request) -> Reply + Send + 'static) {
        self.lock().scripts.push(Script::new(operation, "", answer));
    }

    /// Answers the calls of an operation in order; the last reply repeats.
    pub fn reply(&self, operation: &str, replies: impl IntoIterator<Item = Reply>) {
        self.reply_to(operation, "", replies);
    }

    /// As [`FakeAws::reply`], for the matching calls only: one endpoint's, say.
    pub fn reply_to(&self, operation: &str, matching: &str, replies: impl IntoIterator<Item = Reply>) {
        let script = Script::in_order(operation, matching, replies.into_iter().collect());
        self.lock().scripts.push(script);
    }

    /// Answers the next call of an operation with `reply`, and does nothing else. Several queue up.
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

    /// Does the next call of an operation and then answers `reply` in place of its result: the caller cannot
    /// know that it was done.
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

    /// Runs `change` once, right before the next matching call is answered: what another writer does between
    /// two calls of the code under test.
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
