//! Calls of functions, as the world makes them.

use super::state::World;
use crate::asl::Failure;
use crate::faults::Effect;
use serde_json::{Value, json};
use std::sync::Arc;

impl World {
    /// Calls a function, unless a fault kills it before or after its work.
    pub async fn invoke(self: &Arc<Self>, name: &str, event: Value) -> Result<Value, Failure> {
        let about = event.to_string();
        let fault = self.faults.take(name, &about);
        let killed = |kind: &str| {
            Err(Failure::new(
                kind,
                json!({"errorMessage": "killed", "errorType": kind}).to_string(),
            ))
        };
        if let Some(Effect::Fails(kind)) = &fault {
            self.say(|| format!("{name} {about}: killed, {kind}"));
            return killed(kind);
        }
        let under_way = self.clock.call();
        let answer = self.functions.call(name, event, self.clock.now()).await;
        drop(under_way);
        self.say(|| format!("{name} {about}: {answer:?}"));
        (self.after_call)(self);
        match fault {
            Some(Effect::FailsAfterwards(kind)) => killed(&kind),
            _ => answer,
        }
    }
}
