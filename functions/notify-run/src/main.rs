//! Wires the function; everything it does is in the library.

use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, run, service_fn, tracing};
use notify_run::NotifyRun;
use serde_json::Value;

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    tracing::init_default_subscriber();
    let (stack, bucket) = (platform::setting("STACK")?, platform::setting("BUCKET")?);
    let function = NotifyRun::new(
        &platform::sdk_config().await,
        stack,
        bucket,
        platform::setting("TOPIC_ARN")?,
    );
    let function = &function;
    run(service_fn(move |event: LambdaEvent<Value>| async move {
        function.handle(event.payload, Timestamp::now()).await
    }))
    .await
}
