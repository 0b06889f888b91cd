//! What a world is made of, and how its time passes.

use super::functions::Functions;
use crate::asl::{Failure, Machine};
use crate::clock::Clock;
use crate::faults::Faults;
use crate::sagemaker::SageMaker;
use fake_aws::FakeAws;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A world. Rows hold it by an `Arc`, as everything that runs in it does.
pub struct World {
    pub clock: Clock,
    pub aws: FakeAws,
    pub sagemaker: SageMaker,
    pub faults: Faults,
    pub(super) functions: Functions,
    pub(super) machines: BTreeMap<String, Machine>,
    /// What AWS does once a function has returned: starts executions, sends the events of what was written. These call
    /// functions in turn, so a call reaches them through here alone.
    pub(super) after_call: fn(&Arc<World>),
    pub(super) state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    /// How many executions of the account have been started here.
    pub(super) started: usize,
    pub(super) under_way: BTreeMap<String, tokio::task::AbortHandle>,
    pub(super) ended: Vec<Ended>,
    pub(super) hooks: Vec<Hook>,
    pub(super) dead_letters: Vec<String>,
    /// Number of versions of files with rows of runs that S3 has sent events for, by key; `None` while it sends none.
    pub(super) rows_sent: Option<BTreeMap<String, usize>>,
    /// Executions and notices before this are of the preparation.
    pub(super) mark: (usize, usize),
    pub(super) trace: bool,
}

/// The end of an execution.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) arn: String,
    pub(super) status: String,
    pub(super) output: Value,
    pub(super) failure: Option<Failure>,
}

/// Is given the world and the execution.
pub(super) type Action = Box<dyn FnOnce(&Arc<World>, &str) + Send>;

/// Something that happens when a state is entered.
pub(super) struct Hook {
    pub(super) state: String,
    pub(super) about: String,
    pub(super) skip: u32,
    pub(super) action: Action,
}

impl World {
    /// Prints what happens, for whoever looks for a row's mistake.
    pub fn trace(&self) {
        self.state.lock().unwrap().trace = true;
    }

    /// Prints what happens where somebody traces.
    pub(super) fn say(&self, text: impl FnOnce() -> String) {
        if self.state.lock().unwrap().trace {
            eprintln!("{} {}", self.clock.now(), text());
        }
    }

    /// Lets time pass.
    pub async fn minutes(&self, minutes: u64) {
        let aws = self.aws.clone();
        let set = move |now: Timestamp| aws.set_now(now);
        self.clock.advance(Duration::from_secs(60 * minutes), set).await;
    }

    /// Lets time pass until no execution runs, and two ticks more: whoever repairs has had the time.
    pub async fn settle(&self) {
        for _ in 0..48 {
            self.minutes(30).await;
            if self.state.lock().unwrap().under_way.is_empty() {
                break;
            }
        }
        self.minutes(45).await;
    }

    /// Does something when a state is entered for whatever holds `about` in its data, after `skip` times.
    pub fn at(&self, state: &str, about: &str, skip: u32, action: impl FnOnce(&Arc<World>, &str) + Send + 'static) {
        self.state.lock().unwrap().hooks.push(Hook {
            state: state.to_owned(),
            about: about.to_owned(),
            skip,
            action: Box::new(action),
        });
    }

    /// Hooks that have not happened.
    pub fn unused_hooks(&self) -> Vec<String> {
        self.state
            .lock()
            .unwrap()
            .hooks
            .iter()
            .map(|hook| hook.state.clone())
            .collect()
    }

    /// Lets time pass until an execution was aborted and everybody has heard of it.
    pub async fn until_aborted(&self) {
        for _ in 0..60 {
            self.minutes(1).await;
            if self.aws.executions().iter().any(|it| it.status == "ABORTED") {
                return;
            }
        }
    }
}
