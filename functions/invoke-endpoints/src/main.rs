//! Wires the function; everything it does is in the library.

use aws_lambda_events::apigw::ApiGatewayProxyRequest;
use invoke_endpoints::Function;
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let function = Function::from_env().await?;
    run(service_fn(async |event: LambdaEvent<ApiGatewayProxyRequest>| {
        Ok::<_, Error>(function.handle(event.payload).await)
    }))
    .await
}
