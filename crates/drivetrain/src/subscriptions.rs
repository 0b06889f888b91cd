//! E-mail subscriptions to the stack's topic: who hears of which use case. SNS has one subscription per address, whose
//! filter names the use cases; one without a filter receives everything.

use crate::target::{Platform, Target, describe};
use anyhow::Result;
use aws_sdk_sns::Client;
use serde::Serialize;
use std::collections::BTreeSet;

/// The message attribute that filters match.
const ATTRIBUTE: &str = "use_case";

/// An existing e-mail subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Subscription {
    /// `None` until the address has confirmed it.
    pub arn: Option<String>,
    /// The address.
    pub email: String,
    /// The filter on the notices that it receives.
    pub filter: Filter,
}

/// Which notices a subscription receives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Filter {
    /// Everything.
    All,
    /// The notices of these use cases.
    UseCases(BTreeSet<String>),
    /// A filter that somebody else has written.
    Foreign,
}

impl Subscription {
    /// What it receives, in words.
    pub fn hears_of(&self) -> String {
        match &self.filter {
            Filter::All => "everything".to_owned(),
            Filter::Foreign => "what a filter of its own lets through".to_owned(),
            Filter::UseCases(_) if self.arn.is_none() => "nothing until it is confirmed".to_owned(),
            Filter::UseCases(names) => names.iter().cloned().collect::<Vec<_>>().join(", "),
        }
    }
}

impl Filter {
    fn parse(policy: Option<&str>) -> Self {
        let Some(policy) = policy.filter(|policy| !policy.trim().is_empty()) else {
            return Self::All;
        };
        let Ok(serde_json::Value::Object(policy)) = serde_json::from_str(policy) else {
            return Self::Foreign;
        };
        if policy.is_empty() {
            return Self::All;
        }
        let words = policy
            .get(ATTRIBUTE)
            .filter(|_| policy.len() == 1)
            .and_then(|words| words.as_array());
        let words = words.map(|words| words.iter().map(|word| word.as_str().map(str::to_owned)));
        words
            .and_then(Iterator::collect::<Option<BTreeSet<String>>>)
            .map_or(Self::Foreign, Self::UseCases)
    }
}

/// The filter policy that lets the notices of use cases through.
fn policy(use_cases: &BTreeSet<String>) -> String {
    serde_json::json!({ATTRIBUTE: use_cases}).to_string()
}

/// A change that brings a subscription in line.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// The address has no subscription yet.
    Subscribe { email: String },
    /// Its subscription gets another filter.
    Refilter {
        arn: String,
        email: String,
        use_cases: BTreeSet<String>,
    },
    /// No use case is left that it would hear of.
    Unsubscribe { arn: String, email: String },
    /// The subscription is not ours to change; `why` says why not.
    Leave { email: String, why: &'static str },
}

/// The steps after which `recipients` hear of `use_case`, and no other subscriber that we manage does.
fn steps(present: &[Subscription], use_case: &str, recipients: &[String]) -> Vec<Step> {
    let wanted: BTreeSet<&str> = recipients.iter().map(String::as_str).collect();
    let mut steps: Vec<Step> = wanted
        .iter()
        .filter(|email| !present.iter().any(|one| one.email == **email))
        .map(|email| Step::Subscribe {
            email: (*email).to_owned(),
        })
        .collect();
    for one in present {
        let email = one.email.clone();
        let is_wanted = wanted.contains(email.as_str());
        let mut use_cases = match (&one.filter, is_wanted) {
            (Filter::UseCases(use_cases), _) => use_cases.clone(),
            (Filter::All, true) => {
                let why = "gets the notices of every use case already";
                steps.push(Step::Leave { email, why });
                continue;
            }
            (Filter::Foreign, true) => {
                let why = "has a subscription with a filter of its own: change or remove that one";
                steps.push(Step::Leave { email, why });
                continue;
            }
            (Filter::All | Filter::Foreign, false) => continue,
        };
        let changed = if is_wanted {
            use_cases.insert(use_case.to_owned())
        } else {
            use_cases.remove(use_case)
        };
        let Some(arn) = one.arn.clone() else {
            if is_wanted {
                let why = "has not confirmed its subscription yet: onboard again when it has";
                steps.push(Step::Leave { email, why });
            }
            continue;
        };
        if !changed {
            continue;
        }
        steps.push(if use_cases.is_empty() {
            Step::Unsubscribe { arn, email }
        } else {
            Step::Refilter { arn, email, use_cases }
        });
    }
    steps
}

/// Brings the subscriptions in line with the recipients of a use case; with none when the use case is removed. Returns
/// what was done, one line each.
///
/// # Errors
/// A call fails.
pub async fn bring_in_line(
    target: &Target,
    platform: &Platform,
    use_case: &str,
    recipients: &[String],
) -> Result<Vec<String>> {
    let sns = target.sns();
    let present = subscriptions(&sns, &platform.topic_arn).await?;
    let mut done = Vec::new();
    for step in steps(&present, use_case, recipients) {
        done.push(match step {
            Step::Subscribe { email } => {
                let request = sns.subscribe().topic_arn(&platform.topic_arn).protocol("email");
                let filter = policy(&BTreeSet::from([use_case.to_owned()]));
                let request = request.endpoint(&email).attributes("FilterPolicy", filter);
                let answer = request.return_subscription_arn(true).send().await;
                answer.map_err(|error| describe("Subscribe", error))?;
                let confirm = if target.local.is_some() {
                    ""
                } else {
                    " (a mail asks to confirm it)"
                };
                format!("{email} gets the notices of `{use_case}` from now on{confirm}")
            }
            Step::Refilter { arn, email, use_cases } => {
                let request = sns.set_subscription_attributes().subscription_arn(arn);
                let request = request
                    .attribute_name("FilterPolicy")
                    .attribute_value(policy(&use_cases));
                let answer = request.send().await;
                answer.map_err(|error| describe("SetSubscriptionAttributes", error))?;
                let names: Vec<String> = use_cases.iter().map(|name| format!("`{name}`")).collect();
                format!("{email} gets the notices of {} from now on", names.join(", "))
            }
            Step::Unsubscribe { arn, email } => {
                let answer = sns.unsubscribe().subscription_arn(arn).send().await;
                answer.map_err(|error| describe("Unsubscribe", error))?;
                format!("{email} no longer gets the notices of `{use_case}`")
            }
            Step::Leave { email, why } => format!("{email} {why}"),
        });
    }
    Ok(done)
}

/// The e-mail subscriptions of the stack.
///
/// # Errors
/// SNS refuses.
pub(crate) async fn all(target: &Target, platform: &Platform) -> Result<Vec<Subscription>> {
    subscriptions(&target.sns(), &platform.topic_arn).await
}

async fn subscriptions(sns: &Client, topic_arn: &str) -> Result<Vec<Subscription>> {
    let request = sns.list_subscriptions_by_topic().topic_arn(topic_arn);
    let mut pages = request.into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| describe("ListSubscriptionsByTopic", error))?;
        for one in page.subscriptions() {
            let (Some("email"), Some(arn), Some(email)) = (one.protocol(), one.subscription_arn(), one.endpoint())
            else {
                continue;
            };
            // A subscription that is not confirmed has no ARN by which it could be read or changed; only ours can be in
            // that state.
            let confirmed = arn.starts_with("arn:");
            let filter = if confirmed {
                let details = sns.get_subscription_attributes().subscription_arn(arn).send().await;
                let details = details.map_err(|error| describe("GetSubscriptionAttributes", error))?;
                let policy = details.attributes().and_then(|all| all.get("FilterPolicy"));
                Filter::parse(policy.map(String::as_str))
            } else {
                Filter::UseCases(BTreeSet::new())
            };
            found.push(Subscription {
                arn: confirmed.then(|| arn.to_owned()),
                email: email.to_owned(),
                filter,
            });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn present(email: &str, policy: Option<&str>) -> Subscription {
        Subscription {
            arn: Some(format!("arn:{email}")),
            email: email.to_owned(),
            filter: Filter::parse(policy),
        }
    }

    fn of(present: &[Subscription], use_case: &str, recipients: &[&str]) -> Vec<Step> {
        let recipients: Vec<String> = recipients.iter().map(|it| (*it).to_owned()).collect();
        steps(present, use_case, &recipients)
    }

    #[test]
    fn an_address_has_one_subscription_for_all_its_use_cases() {
        let cars = present("a@x.org", Some(r#"{"use_case": ["cars"]}"#));
        assert_eq!(
            of(std::slice::from_ref(&cars), "vans", &["a@x.org", "b@x.org", "b@x.org"]),
            [
                Step::Subscribe {
                    email: "b@x.org".to_owned()
                },
                Step::Refilter {
                    arn: "arn:a@x.org".to_owned(),
                    email: "a@x.org".to_owned(),
                    use_cases: set(&["cars", "vans"])
                }
            ]
        );
        assert_eq!(of(&[cars], "cars", &["a@x.org"]), []);
    }

    #[test]
    fn who_is_no_recipient_any_more_hears_of_the_others() {
        let all = [
            present("a@x.org", Some(r#"{"use_case": ["cars", "vans"]}"#)),
            present("b@x.org", Some(r#"{"use_case": ["cars"]}"#)),
            present("c@x.org", Some(r#"{"use_case": ["vans"]}"#)),
            present("d@x.org", None),
            present("e@x.org", Some(r#"{"severity": ["error"]}"#)),
        ];
        assert_eq!(
            of(&all, "cars", &[]),
            [
                Step::Refilter {
                    arn: "arn:a@x.org".to_owned(),
                    email: "a@x.org".to_owned(),
                    use_cases: set(&["vans"])
                },
                Step::Unsubscribe {
                    arn: "arn:b@x.org".to_owned(),
                    email: "b@x.org".to_owned()
                }
            ]
        );
    }

    #[test]
    fn what_is_not_ours_is_left_alone_and_told() {
        let mut waiting = present("c@x.org", None);
        (waiting.arn, waiting.filter) = (None, Filter::UseCases(BTreeSet::new()));
        let all = [
            present("a@x.org", Some("{}")),
            present("b@x.org", Some(r#"{"severity": ["error"]}"#)),
            waiting,
        ];
        let steps = of(&all, "cars", &["a@x.org", "b@x.org", "c@x.org"]);
        let told: Vec<&str> = steps
            .iter()
            .map(|step| match step {
                Step::Leave { why, .. } => *why,
                other => panic!("{other:?}"),
            })
            .collect();
        assert!(told[0].contains("every use case"), "{told:?}");
        assert!(told[1].contains("a filter of its own"), "{told:?}");
        assert!(told[2].contains("not confirmed"), "{told:?}");
    }

    #[test]
    fn policies_read_back() {
        assert_eq!(
            Filter::parse(Some(&policy(&set(&["a", "b"])))),
            Filter::UseCases(set(&["a", "b"]))
        );
        assert_eq!(
            Filter::parse(Some(r#"{"use_case": [{"prefix": "a"}]}"#)),
            Filter::Foreign
        );
        assert_eq!(Filter::parse(Some("[")), Filter::Foreign);
    }
}
