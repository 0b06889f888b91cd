//! Wires the function; everything it does is in the library.

use consolidate_captures::{ConsolidateCaptures, Request};
use lambda_runtime::{LambdaEvent, run, service_fn, tracing};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    tracing::init_default_subscriber();
    let bucket = platform::setting("BUCKET")?;
    let threshold_bytes = platform::setting("GLUE_THRESHOLD_BYTES")?
        .parse()
        .map_err(|_| platform::Error::Settings("GLUE_THRESHOLD_BYTES"))?;
    let function = ConsolidateCaptures::new(&platform::sdk_config().await, &bucket, threshold_bytes);
    let function = &function;
    run(service_fn(move |event: LambdaEvent<Request>| async move {
        function.handle(event.payload).await
    }))
    .await
}
