//! Connects the SDK's HTTP client to the account: reads requests, writes replies, and waits if a reply says so.

use std::io;
use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use bytes::Bytes;
use serde_json::json;

use crate::scripted::Outcome;
use crate::xml::xml_escape;
use crate::{FakeAws, REGION, Reply, Request};

impl FakeAws {
    /// The configuration of clients that talk to this account: static credentials, [`REGION`], no retries.
    pub fn sdk_config(&self) -> SdkConfig {
        let aws = self.clone();
        let credentials = Credentials::from_keys("AKIAFAKEFAKEFAKEFAKE", "fake", None);
        let client = http_client_fn(move |settings: &HttpConnectorSettings, _| {
            SharedHttpConnector::new(Connector {
                aws: aws.clone(),
                read_timeout: settings.read_timeout(),
            })
        });
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static(REGION))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .identity_cache(IdentityCache::no_cache())
            .retry_config(RetryConfig::disabled())
            // It watches the real throughput, which a paused clock would make look like a stall.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .http_client(client)
            .build()
    }
}

#[derive(Clone, Debug)]
struct Connector {
    aws: FakeAws,
    read_timeout: Option<Duration>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let connector = self.clone();
        HttpConnectorFuture::new(async move {
            let exchange = connector.exchange(request);
            match connector.read_timeout {
                None => exchange.await,
                Some(limit) => tokio::time::timeout(limit, exchange)
                    .await
                    .unwrap_or_else(|elapsed| Err(ConnectorError::timeout(elapsed.into()))),
            }
        })
    }
}

impl Connector {
    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = read(request).await?;
        let reply = self.aws.answer(&request);
        if !reply.delay.is_zero() {
            tokio::time::sleep(reply.delay).await;
        }
        write(&request, reply).await
    }
}

async fn read(mut request: HttpRequest) -> Result<Request, ConnectorError> {
    let body = ByteStream::new(request.take_body()).collect().await;
    let body = body.map_err(|error| ConnectorError::user(error.into()))?.into_bytes();
    let headers = request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    Ok(Request::parse(request.method(), request.uri(), headers, body))
}

async fn write(request: &Request, reply: Reply) -> Result<HttpResponse, ConnectorError> {
    let mut headers = reply.headers;
    let (status, body) = match reply.outcome {
        Outcome::Content { status, body } => (status, body),
        Outcome::Error { status, code, message } => {
            let (content_type, body) = write_error(request, &code, &message);
            headers.push(("content-type".to_owned(), content_type.to_owned()));
            headers.push(("x-amzn-errortype".to_owned(), code));
            (status, body)
        }
        Outcome::Hang => std::future::pending().await,
        Outcome::ConnectionLost => {
            return Err(ConnectorError::io(
                io::Error::from(io::ErrorKind::ConnectionReset).into(),
            ));
        }
    };
    if !headers.iter().any(|(name, _)| name == "content-length") {
        headers.push(("content-length".to_owned(), body.len().to_string()));
    }
    let body = if request.method == "HEAD" { Bytes::new() } else { body };
    let status = status
        .try_into()
        .map_err(|error| ConnectorError::user(Box::new(error)))?;
    let mut response = HttpResponse::new(status, SdkBody::from(body));
    for (name, value) in headers {
        response.headers_mut().append(name, value);
    }
    Ok(response)
}

fn write_error(request: &Request, code: &str, message: &str) -> (&'static str, Bytes) {
    let error = format!(
        "<Code>{}</Code><Message>{}</Message>",
        xml_escape(code),
        xml_escape(message)
    );
    match request.service.as_str() {
        "s3" => (
            "application/xml",
            format!("<Error>{error}<RequestId>fake</RequestId></Error>").into(),
        ),
        "sns" => {
            let error = format!("<Error><Type>Sender</Type>{error}</Error><RequestId>fake</RequestId>");
            ("text/xml", format!("<ErrorResponse>{error}</ErrorResponse>").into())
        }
        _ => (
            "application/json",
            json!({"__type": code, "message": message}).to_string().into(),
        ),
    }
}
