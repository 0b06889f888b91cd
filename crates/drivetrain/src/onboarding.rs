//! Brings a use-case document into the stack: stores it and its pointer, subscribes its recipients, and takes up
//! champions that already exist.

mod champions;

use crate::subscriptions;
use crate::target::{Platform, Target, describe};
use anyhow::{Result, bail};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_ssm::operation::get_parameter::GetParameterError;
use aws_sdk_ssm::types::ParameterType;
use contracts::{ConfigPointer, UseCase, names, places};
use jiff::Timestamp;

/// Said where predictions can be asked for at once.
const FORGOTTEN: &str =
    "if predictions were asked for while it was not onboarded, the API answers 404 for up to 30 s more";

/// Stores a document and its pointer, brings subscriptions in line with it, and has the endpoints of existing champions
/// brought into service. Returns what was done, one line each.
///
/// # Errors
/// A call fails.
pub async fn store(target: &Target, platform: &Platform, document: &UseCase) -> Result<Vec<String>> {
    let use_case = &document.use_case;
    let key = places::use_case::config(use_case);
    let bytes = serde_json::to_vec_pretty(document)?;
    let sha256 = contracts::pointer::sha256(&bytes);
    let mut done = Vec::new();
    let known = stored(target, use_case).await?;
    let is_new = known.is_none();
    // The object may have been damaged since: readers of the bucket use it, functions use the version in the pointer.
    let is_there = known.as_ref().is_some_and(|pointer| pointer.sha256 == sha256)
        && target
            .get(&platform.bucket, &key)
            .await?
            .is_some_and(|found| found == bytes);
    if is_there {
        done.push(format!("`{use_case}` is stored as it is"));
    } else {
        let body = ByteStream::from(bytes);
        let version_id = target.put(&platform.bucket, &key, "application/json", body).await?;
        let pointer = ConfigPointer {
            uri: places::uri(&platform.bucket, &key),
            version_id,
            sha256,
            // By this a run can tell whether its use case was removed and onboarded again after it was planned.
            onboarding: match known {
                Some(pointer) => pointer.onboarding,
                None => Some(Timestamp::now().to_string()),
            },
        };
        let name = places::parameters::config(&target.stack, use_case);
        let put = target.ssm().put_parameter().name(&name).r#type(ParameterType::String);
        let put = put.overwrite(true).value(serde_json::to_string(&pointer)?).send().await;
        put.map_err(|error| describe(&format!("PutParameter {name}"), error))?;
        done.push(format!(
            "`{use_case}` is stored: {} version {}, parameter {name}",
            pointer.uri, pointer.version_id
        ));
    }
    let recipients = &document.recipients;
    done.extend(subscriptions::bring_in_line(target, platform, use_case, recipients).await?);
    let taken_up = champions::take_up(target, platform, document).await?;
    if is_new && !taken_up.is_empty() {
        done.push(FORGOTTEN.to_owned());
    }
    done.extend(taken_up);
    Ok(done)
}

/// The pointer to a use case's document; `None` when it is not onboarded, or when the pointer can't be read.
///
/// # Errors
/// Parameter Store doesn't answer.
pub async fn stored(target: &Target, use_case: &str) -> Result<Option<ConfigPointer>> {
    let name = places::parameters::config(&target.stack, use_case);
    match target.ssm().get_parameter().name(&name).send().await {
        Ok(answer) => {
            let value = answer.parameter().and_then(|parameter| parameter.value());
            Ok(serde_json::from_str(value.unwrap_or_default()).ok())
        }
        Err(error)
            if error
                .as_service_error()
                .is_some_and(GetParameterError::is_parameter_not_found) =>
        {
            Ok(None)
        }
        Err(error) => Err(describe(&format!("GetParameter {name}"), error)),
    }
}

/// The document of a use case; `None` when it is not onboarded.
///
/// # Errors
/// It can't be read.
pub async fn find(target: &Target, platform: &Platform, use_case: &str) -> Result<Option<UseCase>> {
    if !names::is_id(use_case) || stored(target, use_case).await?.is_none() {
        return Ok(None);
    }
    target.document(platform, &places::use_case::config(use_case)).await
}

/// The document of a use case that must be onboarded.
///
/// # Errors
/// It isn't; the text names the use cases that are.
pub async fn document(target: &Target, platform: &Platform, use_case: &str) -> Result<UseCase> {
    match find(target, platform, use_case).await? {
        Some(document) => Ok(document),
        None => bail!(unknown(target, platform, use_case).await?),
    }
}

/// The use cases that are onboarded, in order; the bucket may hold data of others, which were offboarded.
///
/// # Errors
/// The bucket or Parameter Store can't be read.
pub async fn onboarded(target: &Target, platform: &Platform) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for name in target.use_cases(&platform.bucket).await? {
        if stored(target, &name).await?.is_some() {
            names.push(name);
        }
    }
    Ok(names)
}

/// The message that no such use case is onboarded: it was offboarded, or there are only others.
pub(crate) async fn unknown(target: &Target, platform: &Platform, use_case: &str) -> Result<String> {
    let (title, onboard) = (target.title(), target.command("onboard DOCUMENT"));
    if target
        .use_cases(&platform.bucket)
        .await?
        .iter()
        .any(|it| it == use_case)
    {
        return Ok(format!(
            "use case `{use_case}` of {title} is offboarded; its data is still there: `{onboard}` takes it \
             up again"
        ));
    }
    let others = match onboarded(target, platform).await?.as_slice() {
        [] => "it has none yet".to_owned(),
        known => format!("it has {}", known.join(", ")),
    };
    Ok(format!(
        "{title} has no use case `{use_case}` ({others}): `{onboard}` stores one"
    ))
}

/// Checks that a use case has a model of this name.
///
/// # Errors
/// It hasn't; the text names those that it has.
pub fn model(use_case: &str, known: &[String], model: &str) -> Result<()> {
    if !known.iter().any(|it| it == model) {
        bail!(
            "use case `{use_case}` has no model `{model}` (it has {})",
            known.join(", ")
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use fake_aws::FakeAws;

    #[tokio::test]
    async fn an_unknown_use_case_is_refused_with_those_that_there_are() {
        let aws = FakeAws::new();
        for name in [
            "bucket",
            "topic-arn",
            "api-id",
            "api-url",
            "api-key-id",
            "training-state-machine-arn",
        ]
        .into_iter()
        .chain(["scoring-state-machine-arn", "monitor-state-machine-arn"])
        .chain(["undelivered-events-url", "function-failures-url"])
        {
            aws.put_parameter(&format!("/drivetrain/dev/platform/{name}"), name);
        }
        aws.put_object("bucket", "use-cases/vans/config.json", b"{}");
        let pointer = r#"{"uri": "s3://bucket/c", "version_id": "v", "sha256": "s"}"#;
        aws.put_parameter(&places::parameters::config("dev", "vans"), pointer);
        aws.put_object("bucket", "use-cases/flats/models/m/champion.json", b"{}");
        let target = Target::with_config("dev", aws.sdk_config());
        let platform = target.platform().await.unwrap();
        for name in ["cars", "Cars/x"] {
            let error = document(&target, &platform, name).await.unwrap_err().to_string();
            assert!(
                error.contains("(it has vans)") && error.contains("drivetrain onboard"),
                "{error}"
            );
        }
        let error = document(&target, &platform, "flats").await.unwrap_err().to_string();
        assert!(
            error.starts_with("use case `flats` of stack `dev`")
                && error.contains("is offboarded; its data is still there"),
            "{error}"
        );
        assert!(!error.contains("has no use case"), "{error}");
        let other = Target::with_config("other", aws.sdk_config());
        let error = other.platform().await.unwrap_err().to_string();
        assert!(
            error.contains("stack `other`") && error.contains("is not deployed"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn a_document_that_was_damaged_or_removed_is_stored_again() {
        let aws = FakeAws::new();
        let none = "<ListSubscriptionsByTopicResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
                    <ListSubscriptionsByTopicResult><Subscriptions/></ListSubscriptionsByTopicResult>\
                    </ListSubscriptionsByTopicResponse>";
        aws.on("ListSubscriptionsByTopic", move |_| {
            fake_aws::Reply::bytes(200, "text/xml", none)
        });
        aws.on("Subscribe", move |_| {
            fake_aws::Reply::bytes(200, "text/xml", "<SubscribeResponse/>")
        });
        let platform = Platform {
            topic_arn: "arn:aws:sns:us-east-1:123456789012:dev".to_owned(),
            ..Platform::of_tests("bucket")
        };
        let target = Target::with_config("dev", aws.sdk_config());
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/used-car-price.yaml");
        let document = crate::document::read(std::path::Path::new(file)).unwrap();
        let key = places::use_case::config(&document.use_case);
        store(&target, &platform, &document).await.unwrap();
        let again = store(&target, &platform, &document).await.unwrap();
        assert!(again[0].contains("is stored as it is"), "{again:?}");
        let onboarding = async || stored(&target, &document.use_case).await.unwrap().unwrap().onboarding;
        let first = onboarding().await;
        assert!(first.is_some());
        aws.put_object("bucket", &key, b"{");
        let mended = store(&target, &platform, &document).await.unwrap();
        assert!(!mended[0].contains("as it is"), "{mended:?}");
        assert_eq!(onboarding().await, first, "an update is of the same onboarding");
        aws.delete_parameter(&places::parameters::config("dev", &document.use_case));
        store(&target, &platform, &document).await.unwrap();
        assert_ne!(onboarding().await, first, "it was removed in between");
        let read = super::document(&target, &platform, &document.use_case).await.unwrap();
        assert_eq!(read.use_case, document.use_case);
    }
}
