//! Wires the function; everything it does is in the library.

use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, run, service_fn};
use rmse_gate::{Request, RmseGate};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let config = platform::sdk_config().await;
    let (stack, bucket) = (platform::setting("STACK")?, platform::setting("BUCKET")?);
    let function = &RmseGate::new(&config, &stack, &bucket, &platform::setting("TOPIC_ARN")?);
    run(service_fn(async |event: LambdaEvent<Request>| {
        // Boxed, because the compiler cannot lay out so deeply nested a future.
        Box::pin(function.handle(event.payload, Timestamp::now())).await
    }))
    .await
}
