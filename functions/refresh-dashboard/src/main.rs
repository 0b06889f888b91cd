//! Wires the function; everything it does is in the library.

use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, run, service_fn, tracing};
use refresh_dashboard::{RefreshDashboard, Request};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    tracing::init_default_subscriber();
    let stack = platform::setting("STACK")?;
    let bucket = platform::setting("BUCKET")?;
    let function = RefreshDashboard::new(&platform::sdk_config().await, &stack, &bucket);
    let function = &function;
    run(service_fn(move |event: LambdaEvent<Request>| async move {
        function.handle(event.payload, Timestamp::now()).await
    }))
    .await
}
