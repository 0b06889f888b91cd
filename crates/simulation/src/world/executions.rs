//! Executions: begun, aborted, and ended.

use super::state::{Ended, World};
use super::tasks::Tasks;
use crate::asl::{self, Failure};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

impl World {
    /// Aborts an execution, as people do.
    pub fn abort(self: &Arc<Self>, arn: &str) {
        let handle = self.state.lock().unwrap().under_way.get(arn).cloned();
        if let Some(handle) = handle {
            handle.abort();
            self.end(arn, "ABORTED", Err(Failure::new("", "")));
        }
    }

    /// Starts what functions have asked Step Functions for.
    pub(super) fn start_executions(self: &Arc<Self>) {
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

    /// Writes an execution's end down and tells of it.
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
