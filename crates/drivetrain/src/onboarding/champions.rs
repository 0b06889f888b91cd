//! What happens when a document is stored for a use case that has champions: their endpoints may be gone, because the
//! use case was removed before, and they may have been trained on other columns.

use crate::target::{Platform, Target};
use crate::{check_endpoint, ui};
use anyhow::Result;
use contracts::{Champion, UseCase, places};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// An endpoint that is being deleted can be created again once it is gone: how often to look, and the pause between
/// looks.
const LOOKS: u32 = 12;
const PAUSE: Duration = Duration::from_secs(5);

/// The answer of check-endpoint, one sentence per endpoint.
#[derive(Debug, Default, Deserialize)]
struct Endpoints {
    begun: Vec<String>,
    deleting: Vec<String>,
    moving: Vec<String>,
    stuck: Vec<String>,
}

/// Reports how the champions differ from the document, and has their endpoints brought into service. Returns one line
/// each.
///
/// # Errors
/// Champions can't be read. The document has been stored nevertheless.
pub(super) async fn take_up(target: &Target, platform: &Platform, document: &UseCase) -> Result<Vec<String>> {
    let mut champions = Vec::new();
    for model in &document.models {
        let key = places::use_case::champion(&document.use_case, &model.name);
        champions.extend(target.document::<Champion>(platform, &key).await?);
    }
    let mut lines = differences(document, &champions);
    if champions.is_empty() {
        return Ok(lines);
    }
    match endpoints(target, &document.use_case, PAUSE).await {
        Ok(found) => lines.extend(found),
        Err(error) => lines.push(format!(
            "whether its champions' endpoints exist is not known ({error:#}): the tick makes what is missing within 15 \
             minutes"
        )),
    }
    Ok(lines)
}

/// How champions with other columns differ from the document, and what happens until the next export. Champions that
/// differ in the same way are reported together.
fn differences(document: &UseCase, champions: &[Champion]) -> Vec<String> {
    let mut alike: BTreeMap<String, (Vec<&str>, Vec<String>)> = BTreeMap::new();
    for champion in champions {
        if let Some(other) = champion.other_columns(document) {
            let (models, removed) = alike.entry(other.to_string()).or_default();
            models.push(&champion.model);
            *removed = other.removed;
        }
    }
    let lines = alike.into_iter().map(|(difference, (models, removed))| {
        let whose = match models.as_slice() {
            [model] => format!("the champion of {model}"),
            models => format!("each of the champions of {}", models.join(", ")),
        };
        let requests = match removed.as_slice() {
            [] => "requests are answered from the columns that it knows",
            _ => "requests may still give the columns that the document no longer has; where they don't, the values count \
                  as missing, and the answer warns",
        };
        format!(
            "{whose} {difference}. It serves on until one of the new schema is exported: drop a training file. Until then \
             {requests}, and files to score wait"
        )
    });
    lines.collect()
}

/// Calls check-endpoint, and again while endpoints are being deleted.
async fn endpoints(target: &Target, use_case: &str, pause: Duration) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for look in 1..=LOOKS {
        let found: Endpoints = check_endpoint::ask(target, "onboard", use_case).await?;
        let status = target.command(&format!("status {use_case}"));
        let now = |reason: &String| format!("{reason}: brought back now; `{status}` shows when it serves");
        lines.extend(found.begun.iter().map(now));
        if found.deleting.is_empty() || look == LOOKS {
            // On later looks, endpoints that an earlier look has begun to create are listed as moving, too.
            if look == 1 || lines.is_empty() {
                lines.extend(found.moving);
            }
            let later = |reason: &String| format!("{reason}: the tick brings it back within 15 minutes");
            lines.extend(found.deleting.iter().map(later));
            let stuck = |reason: &String| format!("{reason}; the tick keeps trying, and notifies the recipients");
            lines.extend(found.stuck.iter().map(stuck));
            break;
        }
        if look == 1 {
            ui::say(&format!("{}: waiting until it is gone", found.deleting.join(", ")));
        }
        tokio::time::sleep(pause).await;
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fake_aws::{FakeAws, Reply};
    use serde_json::json;

    fn document() -> UseCase {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/used-car-price.yaml");
        crate::document::read(std::path::Path::new(file)).unwrap()
    }

    /// Stores a champion of a model that was trained on the document's columns and on `more`.
    fn put_champion(aws: &FakeAws, document: &UseCase, model: &str, more: &[&str]) {
        let mut columns = document.columns();
        columns.extend(more.iter().map(|name| (*name).to_owned()));
        let schema_hash = if more.is_empty() {
            document.schema_hash()
        } else {
            "other".to_owned()
        };
        let champion = json!({
            "use_case": document.use_case, "model": model, "run_id": "20261122t183000z-ab12cd34", "config_version": "v",
            "image": "i", "training_job": "t", "model_name": "n", "endpoint_name": "e", "endpoint_config": "c",
            "variant_name": "AllTraffic", "schema_hash": schema_hash, "columns": columns, "holdout_rmse": 1.0,
            "holdout_rows": 8, "exported_at": "2026-11-22T18:30:00Z",
        });
        aws.put_object_json(
            "bucket",
            &places::use_case::champion(&document.use_case, model),
            &champion,
        );
    }

    async fn lines(aws: &FakeAws) -> Vec<String> {
        let target = Target::with_config("dev", aws.sdk_config());
        take_up(&target, &Platform::of_tests("bucket"), &document())
            .await
            .unwrap()
    }

    fn answers(aws: &FakeAws, field: &str, sentence: &str) {
        let mut found = json!({"begun": [], "deleting": [], "moving": [], "stuck": []});
        found[field] = json!([sentence]);
        aws.reply("Invoke", [Reply::json(200, found)]);
    }

    #[tokio::test]
    async fn a_first_onboarding_asks_nobody() {
        let aws = FakeAws::new();
        assert!(lines(&aws).await.is_empty());
        assert!(aws.calls_of("Invoke").is_empty());
    }

    #[tokio::test]
    async fn endpoints_that_are_gone_are_made_and_told() {
        let aws = FakeAws::new();
        put_champion(&aws, &document(), "xgboost", &[]);
        for (field, part) in [
            ("begun", "brought back now"),
            ("stuck", "keeps trying"),
            ("moving", "it"),
        ] {
            answers(&aws, field, "it");
            let lines = lines(&aws).await;
            assert_eq!(lines.len(), 1, "{lines:?}");
            assert!(lines[0].starts_with("it") && lines[0].contains(part), "{lines:?}");
        }
        let asked = aws.calls_of("Invoke")[0].json();
        assert_eq!(asked, json!({"mode": "onboard", "use_case": "used-car-price"}));
        // The document is stored, whatever becomes of this call.
        let error = Reply::json(200, json!({"errorType": "AwsCallFailed"})).header("x-amz-function-error", "Unhandled");
        aws.reply("Invoke", [error]);
        let lines = lines(&aws).await;
        assert!(
            lines[0].contains("AwsCallFailed") && lines[0].contains("15 minutes"),
            "{lines:?}"
        );
    }

    #[tokio::test]
    async fn an_endpoint_that_is_being_deleted_is_waited_for() {
        let aws = FakeAws::new();
        let deleting = json!({"begun": [], "deleting": ["it is Deleting"], "moving": [], "stuck": []});
        let begun = json!({"begun": ["it is gone"], "deleting": [], "moving": [], "stuck": []});
        aws.reply("Invoke", [Reply::json(200, deleting), Reply::json(200, begun)]);
        let target = Target::with_config("dev", aws.sdk_config());
        let lines = endpoints(&target, "used-car-price", Duration::ZERO).await.unwrap();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with("it is gone: brought back now"), "{lines:?}");
    }

    #[tokio::test]
    async fn champions_of_other_columns_are_named_with_what_happens_until_the_next_export() {
        let aws = FakeAws::new();
        answers(&aws, "moving", "it moves");
        let document = document();
        put_champion(&aws, &document, "xgboost", &["area"]);
        put_champion(&aws, &document, "linear-learner", &["area"]);
        let lines = lines(&aws).await;
        assert_eq!(lines.len(), 2, "{lines:?}");
        for part in [
            "champions of xgboost, linear-learner was trained with `area`",
            "count as missing",
            "drop a training",
        ] {
            assert!(lines[0].contains(part), "{part}: {lines:?}");
        }
        put_champion(&aws, &document, "linear-learner", &[]);
        let champion =
            "the champion of xgboost was trained with `area`, which the document no longer has. It serves on until";
        assert!(super::tests::lines(&aws).await[0].starts_with(champion));
    }
}
