//! The platform in one process, on the virtual clock: the state machines' files, the functions' libraries, an AWS in
//! memory.

mod decisions;
mod documents;
mod events;
mod files;
mod functions;
mod look;
mod people;
mod tasks;

pub use documents::{document, side_by_side, watched};
pub use look::Aftermath;
pub use people::{Listings, api};

use crate::asl::{self, Failure, Machine};
use crate::clock::Clock;
use crate::faults::Faults;
use crate::sagemaker::SageMaker;
use fake_aws::{ACCOUNT_ID, FakeAws, REGION};
use functions::Functions;
#[cfg(test)]
pub use functions::{NAMES, settings};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tasks::Tasks;

pub const STACK: &str = "sim";
pub const BUCKET: &str = "sim-123456789012-us-east-1";
pub const USE_CASE: &str = "cars";
const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:sim-notices";
/// Seconds between two looks at an endpoint: the template's default.
const POLL_SECONDS: u32 = 15;
/// The interval of the clock's ticks, as in the template's rule.
const TICK: Duration = Duration::from_secs(900);

/// A world. Rows and everything that runs in it hold it by an `Arc`.
pub struct World {
    pub clock: Clock,
    pub aws: FakeAws,
    pub sagemaker: SageMaker,
    pub faults: Faults,
    functions: Functions,
    machines: BTreeMap<String, Machine>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// How many of the account's executions have been started here.
    started: usize,
    under_way: BTreeMap<String, tokio::task::AbortHandle>,
    ended: Vec<Ended>,
    hooks: Vec<Hook>,
    dead_letters: Vec<String>,
    /// How many executions and notices belong to the preparation.
    mark: (usize, usize),
    trace: bool,
}

/// The end of an execution.
#[derive(Clone, Debug)]
struct Ended {
    arn: String,
    status: String,
    output: Value,
    failure: Option<Failure>,
}

/// Called with the world and the ARN of the execution.
type Action = Box<dyn FnOnce(&Arc<World>, &str) + Send>;

/// An action that runs when a state is entered.
struct Hook {
    state: String,
    about: String,
    skip: u32,
    action: Action,
}

impl World {
    /// An empty account in which the stack is deployed, with its clock ticking.
    pub fn new() -> Arc<Self> {
        let clock = Clock::new("2026-11-22T18:30:00Z".parse().unwrap());
        let (aws, faults) = (FakeAws::new(), Faults::default());
        aws.set_now(clock.now());
        let sagemaker = SageMaker::new(&clock, &aws, &faults);
        let world = Arc::new(Self {
            functions: Functions::new(&aws),
            machines: machines(),
            clock,
            aws,
            sagemaker,
            faults,
            state: Mutex::default(),
        });
        let ticking = world.clone();
        world.clock.spawn(async move {
            loop {
                ticking.clock.sleep(TICK).await;
                ticking.tick();
            }
        });
        world
    }

    /// Prints what happens, to find a row's mistake.
    pub fn trace(&self) {
        self.state.lock().unwrap().trace = true;
    }

    fn say(&self, text: impl FnOnce() -> String) {
        if self.state.lock().unwrap().trace {
            eprintln!("{} {}", self.clock.now(), text());
        }
    }

    /// Lets virtual minutes pass.
    pub async fn minutes(&self, minutes: u64) {
        let aws = self.aws.clone();
        let set = move |now: Timestamp| aws.set_now(now);
        self.clock.advance(Duration::from_secs(60 * minutes), set).await;
    }

    /// Lets time pass until no execution runs, and two more ticks, in which repairs can happen.
    pub async fn settle(&self) {
        for _ in 0..48 {
            self.minutes(30).await;
            if self.state.lock().unwrap().under_way.is_empty() {
                break;
            }
        }
        self.minutes(45).await;
    }

    /// Runs an action when an execution whose data contains `about` enters a state, after `skip` such times.
    pub fn at(&self, state: &str, about: &str, skip: u32, action: impl FnOnce(&Arc<World>, &str) + Send + 'static) {
        self.state.lock().unwrap().hooks.push(Hook {
            state: state.to_owned(),
            about: about.to_owned(),
            skip,
            action: Box::new(action),
        });
    }

    /// The hooks that have not run.
    pub fn unused_hooks(&self) -> Vec<String> {
        self.state
            .lock()
            .unwrap()
            .hooks
            .iter()
            .map(|hook| hook.state.clone())
            .collect()
    }

    /// Aborts an execution, as people do.
    pub fn abort(self: &Arc<Self>, arn: &str) {
        let handle = self.state.lock().unwrap().under_way.get(arn).cloned();
        if let Some(handle) = handle {
            handle.abort();
            self.end(arn, "ABORTED", Err(Failure::new("", "")));
        }
    }

    /// Lets time pass until an execution was aborted and everybody has been notified.
    pub async fn until_aborted(&self) {
        for _ in 0..60 {
            self.minutes(1).await;
            if self.aws.executions().iter().any(|it| it.status == "ABORTED") {
                return;
            }
        }
    }

    /// Starts the executions that functions have requested from Step Functions.
    fn start_executions(self: &Arc<Self>) {
        let executions = self.aws.executions();
        let mut state = self.state.lock().unwrap();
        for execution in executions.iter().skip(state.started) {
            let machine = execution
                .state_machine_arn
                .rsplit('-')
                .next()
                .unwrap_or_default()
                .to_owned();
            let (world, arn, input) = (self.clone(), execution.arn.clone(), execution.input.clone());
            let context = json!({"Id": arn, "Name": execution.name, "Input": input});
            let run = async move {
                let machine = &world.machines[&machine];
                let host: Arc<dyn asl::Host> = Arc::new(Tasks {
                    world: world.clone(),
                    arn: arn.clone(),
                });
                let limit = machine.timeout_seconds.map_or(u64::MAX / 4, |it| it);
                let (status, ended) = tokio::select! {
                    biased;
                    ended = asl::run(&host, machine, input, &context) => {
                        (if ended.is_ok() { "SUCCEEDED" } else { "FAILED" }, ended)
                    }
                    () = world.clock.sleep(Duration::from_secs(limit)) => {
                        ("TIMED_OUT", Err(Failure::new("States.Timeout", "")))
                    }
                };
                world.end(&arn, status, ended);
            };
            let handle = self.clock.spawn(run).abort_handle();
            state.under_way.insert(execution.arn.clone(), handle);
        }
        state.started = executions.len();
    }

    /// Records the end of an execution and sends its event.
    fn end(self: &Arc<Self>, arn: &str, status: &str, ended: Result<Value, Failure>) {
        self.say(|| format!("{status} {arn} {ended:?}"));
        let name = arn.rsplit(':').next().unwrap_or_default();
        self.aws.end_execution_as(name, status);
        let (output, failure) = match ended {
            Ok(output) => (output, None),
            Err(failure) => (Value::Null, Some(failure)),
        };
        let ended = Ended {
            arn: arn.to_owned(),
            status: status.to_owned(),
            output,
            failure,
        };
        {
            let mut state = self.state.lock().unwrap();
            state.under_way.remove(arn);
            state.ended.push(ended.clone());
        }
        self.tell_of_end(&ended);
    }
}

/// The machines and their files.
pub const MACHINES: [(&str, &str); 3] = [
    ("training", "training.asl.json"),
    ("scoring", "batch-scoring.asl.json"),
    ("monitor", "model-monitor.asl.json"),
];

fn machines() -> BTreeMap<String, Machine> {
    let parse = |file| Machine::parse(&definition(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    MACHINES.map(|(name, file)| (name.to_owned(), parse(file))).into()
}

/// The definition of a machine, as SAM deploys it.
pub fn definition(file: &str) -> String {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../statemachines");
    let mut text = std::fs::read_to_string(format!("{root}/{file}")).unwrap();
    for function in functions::NAMES {
        text = text.replace(
            &substitution(function),
            &arn("lambda", &format!("function:{STACK}-{function}")),
        );
    }
    let values = [
        ("Stack", STACK.to_owned()),
        ("AccountId", ACCOUNT_ID.to_owned()),
        ("ConsolidateJobName", format!("{STACK}-consolidate-captures")),
        (
            "SageMakerRoleArn",
            format!("arn:aws:iam::{ACCOUNT_ID}:role/{STACK}-sagemaker"),
        ),
    ];
    for (name, value) in values {
        text = text.replace(&format!("${{{name}}}"), &value);
    }
    text
}

/// The name of a function's substitution: `${CheckEndpointFunctionArn}` in the machines for `check-endpoint`.
fn substitution(function: &str) -> String {
    let words = function.split('-').map(|word| word[..1].to_uppercase() + &word[1..]);
    format!("${{{}FunctionArn}}", words.collect::<String>())
}

fn arn(service: &str, rest: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT_ID}:{rest}")
}

fn machine_arn(machine: &str) -> String {
    arn("states", &format!("stateMachine:{STACK}-{machine}"))
}
