//! Replies, and what a test scripted: answers and faults.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use crate::Request;

/// The answer to a call.
#[derive(Clone, Debug)]
pub struct Reply {
    pub(crate) outcome: Outcome,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) delay: Duration,
}

#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    Content {
        status: u16,
        body: Bytes,
    },
    /// Formatted as the called service formats its errors: JSON or XML.
    Error {
        status: u16,
        code: String,
        message: String,
    },
    Hang,
    ConnectionLost,
}

impl Reply {
    /// A JSON document.
    pub fn json(status: u16, document: impl Into<Value>) -> Reply {
        Reply::bytes(status, "application/json", document.into().to_string())
    }

    /// Any content.
    pub fn bytes(status: u16, content_type: &str, body: impl Into<Bytes>) -> Reply {
        Reply::new(Outcome::Content {
            status,
            body: body.into(),
        })
        .header("content-type", content_type)
    }

    /// A service's error, formatted as the called service does. `code` is the exception's name: `ValidationException`,
    /// `NoSuchKey`.
    pub fn error(status: u16, code: impl Into<String>, message: impl Into<String>) -> Reply {
        Reply::new(Outcome::Error {
            status,
            code: code.into(),
            message: message.into(),
        })
    }

    /// `reply`, after `delay` on tokio's clock.
    pub fn delayed(delay: Duration, reply: Reply) -> Reply {
        Reply {
            delay: reply.delay + delay,
            ..reply
        }
    }

    /// No answer, ever: only the caller's timeout ends the call.
    pub fn hang() -> Reply {
        Reply::new(Outcome::Hang)
    }

    /// The connection breaks before the answer: the SDK reports a dispatch failure.
    pub fn connection_lost() -> Reply {
        Reply::new(Outcome::ConnectionLost)
    }

    /// Adds a header: `X-Amz-Function-Error`, `x-Amzn-Invoked-Production-Variant`.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Reply {
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    fn new(outcome: Outcome) -> Reply {
        Reply {
            outcome,
            headers: Vec::new(),
            delay: Duration::ZERO,
        }
    }
}

type Answer = dyn FnMut(&Request) -> Reply + Send;

/// A scripted operation.
#[derive(Clone)]
pub(crate) struct Script {
    operation: String,
    matching: String,
    answer: Arc<Mutex<Answer>>,
}

impl Script {
    pub(crate) fn new(
        operation: &str,
        matching: &str,
        answer: impl FnMut(&Request) -> Reply + Send + 'static,
    ) -> Script {
        Script {
            operation: operation.to_owned(),
            matching: matching.to_owned(),
            answer: Arc::new(Mutex::new(answer)),
        }
    }

    pub(crate) fn in_order(operation: &str, matching: &str, mut replies: VecDeque<Reply>) -> Script {
        assert!(!replies.is_empty(), "{operation} is scripted with no reply at all");
        Script::new(operation, matching, move |_| {
            let last = replies.len() == 1;
            let next = if last {
                replies.front().cloned()
            } else {
                replies.pop_front()
            };
            next.unwrap_or_else(Reply::hang) // Never: the last one stays.
        })
    }

    pub(crate) fn matches(&self, request: &Request) -> bool {
        self.operation == request.operation && request.is_about(&self.matching)
    }

    pub(crate) fn answer(&self, request: &Request) -> Reply {
        let mut answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
        answer(request)
    }
}

/// A reply that replaces the answer to the next call.
pub(crate) struct Fault {
    pub(crate) reply: Reply,
    /// Whether the call takes effect nevertheless.
    pub(crate) after_doing: bool,
}
