//! `onboard`: a use-case document, checked and stored, and its recipients subscribed.

use crate::aws::{Platform, Target, Whom, describe};
use crate::layout::Layout;
use crate::{ui, use_case_file};
use anyhow::{Result, bail};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_ssm::operation::get_parameter::GetParameterError;
use aws_sdk_ssm::types::ParameterType;
use clap::Args;
use contracts::{ConfigPointer, UseCase, places};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Check a use-case document and store it: locally when the local stack is up, else on AWS.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask onboard models/used-car-price.yaml\n  \
    cargo xtask onboard --check models/used-car-price.yaml      only check it\n  \
    AWS_PROFILE=prod cargo xtask onboard --on aws --stack cars models/used-car-price.yaml")]
pub struct Onboard {
    /// The document, in YAML or JSON
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Only check the document
    #[arg(long)]
    check: bool,

    #[command(flatten)]
    whom: Whom,
}

impl Onboard {
    /// Checks and stores the document.
    ///
    /// # Errors
    /// The document is unsound (every mistake is printed with its line), or the stack can't be reached.
    pub async fn run(&self, layout: &Layout) -> Result<()> {
        let document = check(&self.file)?;
        if self.check {
            ui::say(&format!("{} is sound", self.file.display()));
            return Ok(());
        }
        let target = self.whom.target(layout).await?;
        let platform = target.platform().await?;
        for line in store(&target, &platform, &document).await? {
            ui::say(&line);
        }
        ui::say(&format!(
            "drop a file: s3://{}/{}/training/incoming/",
            platform.bucket, document.use_case
        ));
        Ok(())
    }
}

/// Reads a document.
///
/// # Errors
/// It is unsound; the text holds a line for each mistake.
pub fn check(file: &Path) -> Result<UseCase> {
    match use_case_file::read(file) {
        Ok(document) => Ok(document),
        Err(complaints) => {
            let lines: Vec<String> = complaints.iter().map(ToString::to_string).collect();
            bail!(
                "the use-case document has {}:\n{}",
                count(lines.len(), "mistake"),
                lines.join("\n")
            )
        }
    }
}

/// Stores a document and its pointer and brings subscriptions in line; gives what was done, a line each.
///
/// # Errors
/// A call fails.
pub async fn store(target: &Target, platform: &Platform, document: &UseCase) -> Result<Vec<String>> {
    let use_case = &document.use_case;
    let key = places::use_case::config(use_case);
    let bytes = serde_json::to_vec_pretty(document)?;
    let name = places::parameters::config(&target.stack, use_case);
    let sha256 = contracts::pointer::sha256(&bytes);
    let mut done = Vec::new();
    if stored(target, &name)
        .await?
        .is_some_and(|pointer| pointer.sha256 == sha256)
    {
        done.push(format!("`{use_case}` is stored as it is"));
    } else {
        let body = ByteStream::from(bytes);
        let version_id = target.put(&platform.bucket, &key, "application/json", body).await?;
        let pointer = ConfigPointer {
            uri: places::uri(&platform.bucket, &key),
            version_id,
            sha256,
        };
        let put = target
            .ssm()
            .put_parameter()
            .name(&name)
            .r#type(ParameterType::String)
            .overwrite(true);
        let put = put.value(serde_json::to_string(&pointer)?).send().await;
        put.map_err(|error| describe("PutParameter", error))?;
        done.push(format!(
            "`{use_case}` is stored: {} version {}, parameter {name}",
            pointer.uri, pointer.version_id
        ));
    }
    done.extend(subscribe(target, platform, document).await?);
    Ok(done)
}

async fn stored(target: &Target, name: &str) -> Result<Option<ConfigPointer>> {
    match target.ssm().get_parameter().name(name).send().await {
        Ok(answer) => {
            let value = answer
                .parameter()
                .and_then(|parameter| parameter.value())
                .unwrap_or_default();
            // A pointer that can't be read is replaced.
            Ok(serde_json::from_str(value).ok())
        }
        Err(error)
            if error
                .as_service_error()
                .is_some_and(GetParameterError::is_parameter_not_found) =>
        {
            Ok(None)
        }
        Err(error) => Err(describe("GetParameter", error)),
    }
}

/// An e-mail subscription to one use case's notices.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Subscription {
    arn: String,
    email: String,
    use_case: String,
}

/// Brings the subscriptions of a use case in line with the recipients of its document; gives what was done, a line each.
///
/// # Errors
/// A call fails.
pub async fn subscribe(target: &Target, platform: &Platform, document: &UseCase) -> Result<Vec<String>> {
    let sns = target.sns();
    let present = subscriptions(&sns, &platform.topic_arn).await?;
    let changes = changes(&present, &document.use_case, &document.recipients);
    let mut done = Vec::new();
    for email in &changes.to_add {
        let subscribe = sns
            .subscribe()
            .topic_arn(&platform.topic_arn)
            .protocol("email")
            .endpoint(email);
        let subscribe = subscribe
            .attributes("FilterPolicy", filter_policy(&document.use_case))
            .return_subscription_arn(true)
            .send()
            .await;
        subscribe.map_err(|error| describe("Subscribe", error))?;
        let confirm = if target.local.is_some() {
            ""
        } else {
            " (a mail asks to confirm it)"
        };
        done.push(format!("{email} hears of `{}` from now on{confirm}", document.use_case));
    }
    for subscription in &changes.to_remove {
        let gone = sns.unsubscribe().subscription_arn(&subscription.arn).send().await;
        gone.map_err(|error| describe("Unsubscribe", error))?;
        done.push(format!(
            "{} no longer hears of `{}`",
            subscription.email, document.use_case
        ));
    }
    Ok(done)
}

async fn subscriptions(sns: &aws_sdk_sns::Client, topic_arn: &str) -> Result<Vec<Subscription>> {
    let mut pages = sns
        .list_subscriptions_by_topic()
        .topic_arn(topic_arn)
        .into_paginator()
        .send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| describe("ListSubscriptionsByTopic", error))?;
        for one in page
            .subscriptions()
            .iter()
            .filter(|one| one.protocol() == Some("email"))
        {
            let (Some(arn), Some(email)) = (one.subscription_arn(), one.endpoint()) else {
                continue;
            };
            if !arn.starts_with("arn:") {
                // Not confirmed yet: it has no ARN to ask or remove it by, and subscribing again changes nothing.
                continue;
            }
            let details = sns.get_subscription_attributes().subscription_arn(arn).send().await;
            let details = details.map_err(|error| describe("GetSubscriptionAttributes", error))?;
            let policy = details.attributes().and_then(|all| all.get("FilterPolicy"));
            if let Some(use_case) = use_case_of(policy.map(String::as_str)) {
                found.push(Subscription {
                    arn: arn.to_owned(),
                    email: email.to_owned(),
                    use_case,
                });
            }
        }
    }
    Ok(found)
}

fn filter_policy(use_case: &str) -> String {
    serde_json::json!({"use_case": [use_case]}).to_string()
}

/// The use case that a subscription of ours is for; none for those that others made.
fn use_case_of(policy: Option<&str>) -> Option<String> {
    let policy: serde_json::Value = serde_json::from_str(policy?).ok()?;
    let words = policy.get("use_case")?.as_array()?;
    match words.as_slice() {
        [word] => word.as_str().map(str::to_owned),
        _ => None,
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Changes {
    to_add: Vec<String>,
    to_remove: Vec<Subscription>,
}

/// What brings the subscriptions of a use case in line with its recipients; those of others are left alone.
fn changes(present: &[Subscription], use_case: &str, recipients: &[String]) -> Changes {
    let ours = |one: &&Subscription| one.use_case == use_case;
    let subscribed: BTreeSet<&str> = present.iter().filter(ours).map(|one| one.email.as_str()).collect();
    let mut seen = BTreeSet::new();
    Changes {
        to_add: recipients
            .iter()
            .filter(|email| !subscribed.contains(email.as_str()) && seen.insert(email.as_str()))
            .cloned()
            .collect(),
        to_remove: present
            .iter()
            .filter(ours)
            .filter(|one| !recipients.contains(&one.email))
            .cloned()
            .collect(),
    }
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscription(email: &str, use_case: &str) -> Subscription {
        Subscription {
            arn: format!("arn:{email}"),
            email: email.to_owned(),
            use_case: use_case.to_owned(),
        }
    }

    #[test]
    fn recipients_are_kept_added_and_removed() {
        let present = [
            subscription("a@x.org", "cars"),
            subscription("b@x.org", "cars"),
            subscription("c@x.org", "vans"),
        ];
        let recipients = ["b@x.org", "d@x.org", "d@x.org"].map(str::to_owned);
        let changes = changes(&present, "cars", &recipients);
        assert_eq!(changes.to_add, ["d@x.org"]);
        assert_eq!(changes.to_remove, [subscription("a@x.org", "cars")]);
    }

    #[test]
    fn only_subscriptions_of_one_use_case_are_ours() {
        assert_eq!(use_case_of(Some(&filter_policy("cars"))), Some("cars".to_owned()));
        assert_eq!(use_case_of(Some(r#"{"use_case": ["cars", "vans"]}"#)), None);
        assert_eq!(use_case_of(Some(r#"{"severity": ["error"]}"#)), None);
        assert_eq!(use_case_of(None), None);
    }
}
