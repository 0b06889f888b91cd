//! Requests to addresses that the AWS SDK has no client for, sent over the SDK's own HTTP stack: one TLS library, one
//! set of certificates.

use anyhow::{Context, Result};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use std::time::Duration;

/// The time limit for establishing a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// The time limit for an answer: the prediction API's own limit is 29 s.
const READ: Duration = Duration::from_secs(60);

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: Vec<u8>,
}

/// A client that reuses its connections. Requests to this machine never go through a proxy.
pub fn client(on_this_machine: bool) -> SharedHttpConnector {
    let settings = HttpConnectorSettings::builder()
        .connect_timeout(CONNECT)
        .read_timeout(READ);
    let connector = Connector::builder()
        .connector_settings(settings.build())
        .proxy_config(if on_this_machine {
            ProxyConfig::disabled()
        } else {
            ProxyConfig::from_env()
        })
        .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
        .build();
    SharedHttpConnector::new(connector)
}

/// Posts `body`.
///
/// # Errors
/// The address can't be reached, or no answer comes.
pub async fn post(client: &SharedHttpConnector, url: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Result<Answer> {
    let mut request = HttpRequest::new(SdkBody::from(body));
    request.set_method("POST").context("POST is a method")?;
    request
        .set_uri(url)
        .with_context(|| format!("{url} is not a valid URL"))?;
    for (name, value) in headers {
        request
            .headers_mut()
            .try_insert((*name).to_owned(), (*value).to_owned())
            .with_context(|| format!("the header {name} can't be sent"))?;
    }
    let response = client.call(request).await;
    let response = response.with_context(|| format!("{url} does not answer"))?;
    let status = response.status().as_u16();
    let body = ByteStream::new(response.into_body()).collect().await;
    let body = body.with_context(|| format!("the answer of {url} broke off"))?;
    Ok(Answer {
        status,
        body: body.to_vec(),
    })
}
