//! The machines' tasks: functions, SageMaker's jobs and calls, and those of the few other services.

use super::names::STACK;
use super::state::World;
use crate::asl::{Failure, Host};
use crate::faults::Effect;
use crate::sagemaker::{ApiError, JobKind, SageMaker};
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// The environment of an execution.
pub struct Tasks {
    pub world: Arc<World>,
    pub arn: String,
}

impl Host for Tasks {
    fn call<'a>(&'a self, resource: &'a str, parameters: Value) -> LocalBoxFuture<'a, Result<Value, Failure>> {
        async move {
            if let Some(function) = resource.rsplit_once(&format!(":function:{STACK}-")) {
                return self.world.invoke(function.1, parameters).await;
            }
            let unknown = || Failure::new("Interpreter.Unsupported", format!("the resource {resource}"));
            let service = resource.strip_prefix("arn:aws:states:::").ok_or_else(unknown)?;
            let parts: Vec<&str> = service.split([':', '.']).collect();
            match parts.as_slice() {
                ["sagemaker", action, "sync"] => self.job(action, &parameters).await,
                ["sagemaker", action] => self.sagemaker(action, &parameters).map_err(optimised),
                ["aws-sdk", "sagemaker", action] => self
                    .sagemaker(action, &parameters)
                    .map_err(|error| sdk("SageMaker", "SageMakerException", error)),
                ["aws-sdk", "applicationautoscaling", action] => self
                    .sagemaker(action, &parameters)
                    .map_err(|error| sdk("ApplicationAutoScaling", "ApplicationAutoScalingException", error)),
                ["aws-sdk", "ssm", "putParameter"] => self.put_parameter(&parameters),
                ["aws-sdk", "s3", "putObject"] => self.put_object(&parameters),
                ["events", "putEvents"] => self.put_events(&parameters),
                _ => Err(unknown()),
            }
        }
        .boxed_local()
    }

    fn sleep(&self, time: Duration) -> LocalBoxFuture<'static, ()> {
        self.world.clock.sleep(time)
    }

    fn now(&self) -> Timestamp {
        self.world.clock.now()
    }

    fn entered<'a>(&'a self, state: &'a str, data: &'a Value) -> LocalBoxFuture<'a, ()> {
        async move {
            self.world
                .say(|| format!("{} enters {state}", &self.arn[self.arn.len() - 8..]));
            let due = {
                let hooks = &mut self.world.state.lock().unwrap().hooks;
                if hooks.iter().all(|hook| hook.state != state) {
                    return;
                }
                let text = data.to_string();
                let fitting = hooks
                    .iter()
                    .position(|hook| hook.state == state && text.contains(&hook.about));
                match fitting {
                    Some(at) if hooks[at].skip == 0 => Some(hooks.remove(at)),
                    Some(at) => {
                        hooks[at].skip -= 1;
                        None
                    }
                    None => None,
                }
            };
            if let Some(hook) = due {
                (hook.action)(&self.world, &self.arn);
                // An execution that was aborted stops here.
                tokio::task::yield_now().await;
            }
        }
        .boxed_local()
    }
}

impl Tasks {
    fn sagemaker(&self, action: &str, parameters: &Value) -> Result<Value, ApiError> {
        self.world.sagemaker.call(&operation(action), parameters)
    }

    /// Creates a job and waits for its end; if the task is cancelled, the job is stopped.
    async fn job(&self, action: &str, parameters: &Value) -> Result<Value, Failure> {
        let kind = match action {
            "createProcessingJob" => JobKind::Processing,
            "createTrainingJob" => JobKind::Training,
            "createTransformJob" => JobKind::Transform,
            other => return Err(Failure::new("Interpreter.Unsupported", format!("the job {other}"))),
        };
        self.sagemaker(action, parameters).map_err(optimised)?;
        let name = parameters[format!("{}JobName", kind.as_str())]
            .as_str()
            .unwrap_or_default();
        let stops = Stops {
            sagemaker: self.world.sagemaker.clone(),
            kind,
            name: name.to_owned(),
        };
        let (status, described) = self.world.sagemaker.ended(kind, name).await.map_err(optimised)?;
        drop(stops);
        match status.as_str() {
            "Completed" => Ok(described),
            _ => Err(Failure::new("States.TaskFailed", described.to_string())),
        }
    }

    fn put_parameter(&self, parameters: &Value) -> Result<Value, Failure> {
        let text = |name: &str| parameters[name].as_str().unwrap_or_default();
        match self.world.faults.take("PutParameter", text("Name")) {
            Some(Effect::Fails(code)) => Err(sdk("Ssm", "SsmException", ApiError::new(&code, "refused"))),
            _ => {
                self.world.aws.put_parameter(text("Name"), text("Value"));
                Ok(json!({"Version": 1}))
            }
        }
    }

    /// Puts an object as the SDK integration does: a body of text as it is, anything else as JSON.
    fn put_object(&self, parameters: &Value) -> Result<Value, Failure> {
        let text = |name: &str| parameters[name].as_str().unwrap_or_default();
        if let Some(Effect::Fails(code)) = self.world.faults.take("PutObject", text("Key")) {
            return Err(sdk("S3", "S3Exception", ApiError::new(&code, "refused")));
        }
        let body = match &parameters["Body"] {
            Value::String(body) => body.clone(),
            body => body.to_string(),
        };
        self.world.aws.put_object(text("Bucket"), text("Key"), body);
        Ok(json!({"ETag": "\"etag\""}))
    }

    fn put_events(&self, parameters: &Value) -> Result<Value, Failure> {
        for entry in parameters["Entries"].as_array().into_iter().flatten() {
            if let Some(Effect::Fails(code)) = self.world.faults.take("PutEvents", &entry.to_string()) {
                return Err(Failure::new(&format!("EventBridge.{code}"), "the event was not taken"));
            }
            self.world.publish(entry);
        }
        Ok(json!({"FailedEntryCount": 0}))
    }
}

/// Stops its job when it is dropped.
struct Stops {
    sagemaker: SageMaker,
    kind: JobKind,
    name: String,
}

impl Drop for Stops {
    fn drop(&mut self) {
        self.sagemaker.stop_job(self.kind, &self.name);
    }
}

/// The operation of an action: `createModel` is CreateModel.
fn operation(action: &str) -> String {
    action[..1].to_uppercase() + &action[1..]
}

/// Names errors as the optimised integration does: those that SageMaker's API declares by their code, all others alike.
#[allow(clippy::needless_pass_by_value, reason = "what `map_err` takes")]
fn optimised(error: ApiError) -> Failure {
    let declared = [
        "ConflictException",
        "ResourceInUse",
        "ResourceLimitExceeded",
        "ResourceNotFound",
    ];
    let name = match declared.contains(&error.code.as_str()) {
        true if error.code.ends_with("Exception") => format!("SageMaker.{}", error.code),
        true => format!("SageMaker.{}Exception", error.code),
        false => "SageMaker.AmazonSageMakerException".to_owned(),
    };
    let cause = format!(
        "{} (Service: AmazonSageMaker; Status Code: 400; Error Code: {})",
        error.message, error.code
    );
    Failure::new(&name, cause)
}

/// Names errors as SDK integrations do: `<Service>.<Code>Exception`, or the service's own exception if the code is
/// undeclared.
fn sdk(service: &str, undeclared: &str, error: ApiError) -> Failure {
    let declared = error.code.ends_with("Exception")
        && !["ValidationException", "ThrottlingException"].contains(&error.code.as_str());
    let name = if declared { error.code.as_str() } else { undeclared };
    Failure::new(&format!("{service}.{name}"), error.message)
}
