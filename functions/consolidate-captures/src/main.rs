//! Wires the function; everything it does is in the library.

use consolidate_captures::{ConsolidateCaptures, GLUE_THRESHOLD_BYTES, Request};
use lambda_runtime::{LambdaEvent, run, service_fn, tracing};

#[tokio::main]
async fn main() -> Result<(), lambda_runtime::Error> {
    tracing::init_default_subscriber();
    let bucket = platform::setting("BUCKET")?;
    let threshold_bytes = match platform::setting("GLUE_THRESHOLD_BYTES") {
        Ok(text) => text
            .parse()
            .map_err(|_| platform::Error::Settings("GLUE_THRESHOLD_BYTES"))?,
        Err(_) => GLUE_THRESHOLD_BYTES,
    };
    let function = ConsolidateCaptures::new(&platform::sdk_config().await, &bucket, threshold_bytes);
    let function = &function;
    run(service_fn(move |event: LambdaEvent<Request>| async move {
        function.handle(event.payload).await
    }))
    .await
}
