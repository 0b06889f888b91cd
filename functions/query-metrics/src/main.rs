//! Wires the function; everything it does is in the library.

use lambda_runtime::{LambdaEvent, run, service_fn};
use query_metrics::{QueryMetrics, Request};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    lambda_runtime::tracing::init_default_subscriber();
    let function = &QueryMetrics::new(&platform::sdk_config().await);
    run(service_fn(async |event: LambdaEvent<Request>| {
        function.handle(event.payload).await
    }))
    .await
}
