//! Wires the function; everything it does is in the library.

use evaluate_drift::{EvaluateDrift, Request};
use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, run, service_fn};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let config = platform::sdk_config().await;
    let (stack, bucket) = (platform::setting("STACK")?, platform::setting("BUCKET")?);
    let topic_arn = platform::setting("TOPIC_ARN")?;
    let function = &EvaluateDrift::new(&config, &stack, &bucket, &topic_arn);
    run(service_fn(async |event: LambdaEvent<Request>| {
        // Boxed, because the compiler cannot lay out so deeply nested a future.
        Box::pin(function.handle(event.payload, Timestamp::now())).await
    }))
    .await
}
