//! Wires the function; everything it does is in the library.

use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, run, service_fn, tracing};
use serde_json::Value;
use start_run::{Settings, StartRun};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    tracing::init_default_subscriber();
    let settings = Settings::from_env()?;
    let function = StartRun::new(&platform::sdk_config().await, settings);
    let function = &function;
    run(service_fn(move |event: LambdaEvent<Value>| async move {
        function.handle(event.payload, Timestamp::now()).await
    }))
    .await
}
