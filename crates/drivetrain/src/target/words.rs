//! Describes errors of the AWS SDK in words: its own texts only say `dispatch failure` or `service error`.

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::error::Error;

/// AWS's error codes for credentials that are expired or invalid.
const BAD_CREDENTIALS: [&str; 9] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "InvalidToken",
];
/// AWS's error codes for missing permissions.
const DENIED: [&str; 6] = [
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "UnauthorizedOperation",
    "NotAuthorized",
    "AllAccessDisabled",
];
/// What to do about credentials.
pub(super) const SIGN_IN: &str = "sign in again (`aws sso login`, with the `--profile` that you use), or set AWS_PROFILE \
                                  or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";

/// Describes a failed call of AWS: which call, what is wrong, what to do.
#[allow(clippy::needless_pass_by_value, reason = "it is what `map_err` gives away")]
pub fn describe<E>(call: &str, error: SdkError<E, HttpResponse>) -> anyhow::Error
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    anyhow::anyhow!(in_words(call, &error))
}

/// Whether SageMaker says that what was asked for does not exist. It has no error code of its own for a missing model
/// or endpoint.
pub fn is_missing(error: &impl ProvideErrorMetadata) -> bool {
    error
        .message()
        .is_some_and(|message| message.starts_with("Could not find"))
}

fn in_words<E>(call: &str, error: &SdkError<E, HttpResponse>) -> String
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let Some(service) = error.as_service_error() {
        let status = error.raw_response().map(|response| response.status().as_u16());
        if service.code().is_some() || status.is_some_and(|status| status >= 400) {
            return refused(call, service.code(), service.message(), status);
        }
        return format!("{call}: the answer cannot be read ({})", causes(service));
    }
    let credentials = chain(error).find_map(|cause| cause.downcast_ref::<CredentialsError>());
    if let Some(credentials) = credentials {
        return without_credentials(credentials);
    }
    let innermost = causes(error);
    match error {
        SdkError::TimeoutError(_) => format!("{call}: AWS did not answer in time: try again"),
        SdkError::DispatchFailure(failure) if failure.is_io() || failure.is_timeout() => {
            format!("{call}: cannot reach AWS ({innermost}): check the network, a proxy, and the region")
        }
        SdkError::ResponseError(_) => format!("{call}: the answer cannot be read ({innermost}): try again"),
        _ => format!("{call} failed: {innermost}"),
    }
}

/// Describes an error that a service has answered with.
fn refused(call: &str, code: Option<&str>, message: Option<&str>, status: Option<u16>) -> String {
    let message = message.unwrap_or_default();
    match code {
        Some(code) if BAD_CREDENTIALS.contains(&code) => {
            format!("{call}: the AWS credentials are expired or not valid ({code}): {SIGN_IN}")
        }
        Some(code) if DENIED.contains(&code) => {
            let who = if message.is_empty() {
                "AWS does not say more"
            } else {
                message
            };
            format!("{call}: access denied: {who}")
        }
        Some(code) if message.is_empty() => format!("{call} failed: {code}"),
        Some(code) => format!("{call} failed: {code}: {message}"),
        // The answer to a HEAD request has no body and so no error code.
        None => match status {
            Some(403) => format!("{call}: access denied; AWS does not say more"),
            Some(status) => format!("{call} failed: AWS answered {status} {message}")
                .trim_end()
                .to_owned(),
            None => format!("{call} failed: {message}"),
        },
    }
}

/// Why there are no credentials, and what to do.
pub(super) fn without_credentials(error: &CredentialsError) -> String {
    let why = causes(error);
    let what = match error {
        CredentialsError::CredentialsNotLoaded(_) => "there are no AWS credentials",
        CredentialsError::ProviderTimedOut(_) => "the AWS credentials did not arrive in time",
        CredentialsError::InvalidConfiguration(_) => "the AWS configuration can't be used",
        _ => "the AWS credentials are missing or expired",
    };
    format!("{what} ({why}): {SIGN_IN}")
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |cause: &&'a (dyn Error + 'static)| (*cause).source())
}

/// The messages of an error's causes, without the outermost error, which names only its kind.
fn causes(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    for cause in chain(error).skip(1) {
        let line = cause.to_string();
        if !line.is_empty() && !text.contains(&line) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&line);
        }
    }
    if text.is_empty() { error.to_string() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fake_aws::{FakeAws, Reply};

    async fn said(reply: Reply) -> String {
        let aws = FakeAws::new();
        aws.fail_next("GetParameter", reply);
        let ssm = aws_sdk_ssm::Client::new(&aws.sdk_config());
        let error = ssm.get_parameter().name("/x").send().await.unwrap_err();
        describe("GetParameter", error).to_string()
    }

    #[tokio::test]
    async fn refusals_say_what_to_do() {
        let expired = said(Reply::error(400, "ExpiredTokenException", "expired")).await;
        assert!(
            expired.contains("aws sso login") && expired.contains("GetParameter"),
            "{expired}"
        );
        let message = "User: arn:aws:iam::1:user/kim is not authorized to perform: ssm:GetParameter on resource: /x";
        let denied = said(Reply::error(400, "AccessDeniedException", message)).await;
        assert_eq!(denied, format!("GetParameter: access denied: {message}"));
        let other = said(Reply::error(400, "ParameterNotFound", "")).await;
        assert_eq!(other, "GetParameter failed: ParameterNotFound");
        let lost = said(Reply::connection_lost()).await;
        assert!(lost.contains("cannot reach AWS"), "{lost}");
        for text in [expired, denied, other, lost] {
            assert!(!text.contains("Failure(") && !text.contains("dispatch"), "{text}");
        }
    }

    #[test]
    fn credentials_that_are_not_there_are_told_as_such() {
        let text = without_credentials(&CredentialsError::not_loaded(
            "no providers in chain provided credentials",
        ));
        assert!(
            text.starts_with("there are no AWS credentials (no providers in chain"),
            "{text}"
        );
        let text = without_credentials(&CredentialsError::provider_error("the SSO session has expired"));
        assert!(
            text.contains("missing or expired (the SSO session has expired)"),
            "{text}"
        );
        assert!(text.contains("aws sso login"), "{text}");
    }

    #[test]
    fn a_head_has_no_code() {
        assert_eq!(
            refused("HeadObject", None, None, Some(403)),
            "HeadObject: access denied; AWS does not say more"
        );
        assert_eq!(
            refused("HeadObject", None, None, Some(404)),
            "HeadObject failed: AWS answered 404"
        );
    }
}
