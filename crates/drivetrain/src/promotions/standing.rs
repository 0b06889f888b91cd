//! Whether a champion serves: compares it with its use case's document and with its endpoint.

use crate::target::{Platform, Target, describe, is_missing};
use anyhow::Result;
use contracts::{Champion, Lease, RunId, UseCase, places};
use jiff::Timestamp;
use serde::Serialize;

/// The state of a listed model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The champion; its endpoint is in service, on its configuration.
    Serves,
    /// Like `Serves`, but it was trained on other columns than those of the document.
    OtherColumns,
    /// The champion; its use case was removed.
    RemovedUseCase,
    /// The champion; its model is no longer in the document of its use case.
    RemovedModel,
    /// The champion; its endpoint is gone.
    EndpointMissing,
    /// The champion; its endpoint is on another configuration.
    EndpointDiffers,
    /// The champion; its endpoint is being updated, and answers meanwhile.
    EndpointUpdating,
    /// The champion; its endpoint is being made or deleted, or has failed.
    EndpointNotInService,
    /// An earlier champion.
    Former,
    /// A candidate that waits for somebody's decision, also after an approval that came to nothing.
    Held,
    /// A held candidate that somebody has approved: a run brings it into service, or has done so.
    Approved,
}

impl State {
    /// The state in a word or two.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Serves => "serves",
            Self::OtherColumns => "serves, other columns",
            Self::RemovedUseCase => "removed use case",
            Self::RemovedModel => "removed model",
            Self::EndpointMissing => "endpoint missing",
            Self::EndpointDiffers => "endpoint differs",
            Self::EndpointUpdating => "updating",
            Self::EndpointNotInService => "endpoint not in service",
            Self::Former => "former",
            Self::Held => "held",
            Self::Approved => "approved",
        }
    }
}

/// What SageMaker says of an endpoint that changes and goes on answering.
const UPDATING: [&str; 3] = ["Updating", "SystemUpdating", "RollingBack"];

/// The state of the champion of a use case with this document (`None`: the use case was removed), and what is wrong if
/// it does not serve as the document says.
///
/// # Errors
/// SageMaker doesn't answer.
pub(super) async fn of(
    target: &Target,
    platform: &Platform,
    champion: &Champion,
    document: Option<&UseCase>,
) -> Result<(State, Option<String>)> {
    let Some(document) = document else {
        let trouble = format!(
            "its use case was removed: `{}` takes it up again, this champion included",
            target.command("onboard DOCUMENT")
        );
        return Ok((State::RemovedUseCase, Some(trouble)));
    };
    if document.model(&champion.model).is_none() {
        let trouble = "the document no longer names this model, so no request reaches it";
        return Ok((State::RemovedModel, Some(trouble.to_owned())));
    }
    let (name, wanted) = (&champion.endpoint_name, &champion.endpoint_config);
    let found = match target.sagemaker().describe_endpoint().endpoint_name(name).send().await {
        Ok(found) => found,
        Err(error) if is_missing(&error) => {
            let trouble = format!("endpoint {name} is gone: the tick makes it again within 15 minutes");
            return Ok((State::EndpointMissing, Some(trouble)));
        }
        Err(error) => return Err(describe(&format!("DescribeEndpoint {name}"), error)),
    };
    let status = found.endpoint_status().map_or("in no status", |status| status.as_str());
    let on = found.endpoint_config_name().unwrap_or_default();
    let brought_back = format!(
        "a run works on it, or the tick brings it back within 15 minutes; if it stays so, `{}`",
        target.command("logs check-endpoint")
    );
    Ok(if UPDATING.contains(&status) {
        let trouble = format!(
            "endpoint {name} is {status}: predictions are answered meanwhile, by the former configuration until the update has \
             succeeded"
        );
        (State::EndpointUpdating, Some(trouble))
    } else if status != "InService" {
        let trouble = format!("endpoint {name} is {status}: {brought_back}");
        (State::EndpointNotInService, Some(trouble))
    } else if on != wanted
        && let Some(run) = at_work(target, platform, champion).await?
    {
        let trouble = format!(
            "endpoint {name} is on {on}, and the champion's is {wanted}: run {run} is updating it, and predictions are \
             answered meanwhile"
        );
        (State::EndpointUpdating, Some(trouble))
    } else if on != wanted {
        let trouble = format!("endpoint {name} is on {on}, and the champion's is {wanted}: {brought_back}");
        (State::EndpointDiffers, Some(trouble))
    } else if let Some(other) = champion.other_columns(document) {
        (State::OtherColumns, Some(other.told()))
    } else {
        (State::Serves, None)
    })
}

/// The run that holds the lease of a champion's endpoint.
async fn at_work(target: &Target, platform: &Platform, champion: &Champion) -> Result<Option<RunId>> {
    let key = places::use_case::lease(&champion.use_case, &champion.model);
    let lease: Option<Lease> = target.document(platform, &key).await?;
    let held = lease.filter(|lease| lease.expires_at > Timestamp::now());
    Ok(held.map(|lease| lease.run_id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fake_aws::{FakeAws, Reply};
    use serde_json::json;

    fn champion(model: &str) -> Champion {
        serde_json::from_value(json!({
            "use_case": "cars", "model": model, "run_id": "20261122t183000z-ab12cd34", "config_version": "v", "image": "i",
            "training_job": "t", "model_name": "n", "endpoint_name": "dev--cars", "endpoint_config": "conf",
            "variant_name": "AllTraffic", "schema_hash": document().schema_hash(), "columns": document().columns(),
            "holdout_rmse": 1234.5,
            "holdout_rows": 8000, "exported_at": "2026-11-22T18:30:00Z",
        }))
        .unwrap()
    }

    /// A document with a model `xgboost`.
    fn document() -> UseCase {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/used-car-price.yaml");
        crate::document::read(std::path::Path::new(file)).unwrap()
    }

    async fn standing(reply: Reply) -> (State, Option<String>) {
        standing_of(&champion("xgboost"), reply).await
    }

    async fn standing_of(champion: &Champion, reply: Reply) -> (State, Option<String>) {
        let aws = FakeAws::new();
        aws.reply("DescribeEndpoint", [reply]);
        let target = Target::with_config("dev", aws.sdk_config());
        of(&target, &Platform::of_tests("bucket"), champion, Some(&document()))
            .await
            .unwrap()
    }

    fn endpoint(status: &str, config: &str) -> Reply {
        Reply::json(
            200,
            json!({"EndpointName": "dev--cars", "EndpointArn": "arn:aws:sagemaker:::endpoint/e", "EndpointStatus": status,
                   "EndpointConfigName": config, "CreationTime": 1.0, "LastModifiedTime": 1.0}),
        )
    }

    #[tokio::test]
    async fn a_champion_serves_where_its_endpoint_is_in_service_on_its_configuration() {
        assert_eq!(standing(endpoint("InService", "conf")).await, (State::Serves, None));
        let (state, trouble) = standing(endpoint("InService", "other")).await;
        assert_eq!(state, State::EndpointDiffers);
        let trouble = trouble.unwrap();
        assert!(trouble.contains("is on other, and the champion's is conf"), "{trouble}");
        let (state, trouble) = standing(endpoint("Updating", "conf")).await;
        assert_eq!((state, state.as_str()), (State::EndpointUpdating, "updating"));
        assert!(trouble.unwrap().contains("predictions are answered meanwhile"));
        let (state, trouble) = standing(endpoint("Creating", "conf")).await;
        assert_eq!(state, State::EndpointNotInService);
        assert!(trouble.unwrap().contains("dev--cars is Creating"));
        let gone = Reply::error(400, "ValidationException", "Could not find endpoint \"dev--cars\".");
        let (state, trouble) = standing(gone).await;
        assert_eq!(state, State::EndpointMissing);
        assert!(trouble.unwrap().contains("the tick makes it again"));
    }

    #[tokio::test]
    async fn an_endpoint_that_a_run_works_on_is_updating() {
        let aws = FakeAws::new();
        aws.reply("DescribeEndpoint", [endpoint("InService", "other")]);
        let run = "20261123t183000z-00000001";
        let lease = json!({"run_id": run, "expires_at": Timestamp::now() + jiff::SignedDuration::from_mins(5)});
        aws.put_object_json("bucket", "use-cases/cars/models/xgboost/lease", &lease);
        let target = Target::with_config("dev", aws.sdk_config());
        let platform = Platform::of_tests("bucket");
        let found = of(&target, &platform, &champion("xgboost"), Some(&document())).await;
        let (state, trouble) = found.unwrap();
        assert_eq!(state, State::EndpointUpdating);
        assert!(trouble.unwrap().contains(&format!("run {run} is updating it")));
    }

    #[tokio::test]
    async fn a_champion_of_other_columns_is_marked() {
        let mut former = champion("xgboost");
        former.schema_hash = "123456".to_owned();
        former.columns.push("area".to_owned());
        let (state, trouble) = standing_of(&former, endpoint("InService", "conf")).await;
        assert_eq!(state, State::OtherColumns);
        assert!(trouble.unwrap().contains("was trained with `area`"));
        // That it doesn't serve matters more than its columns.
        let (state, _) = standing_of(&former, endpoint("Failed", "conf")).await;
        assert_eq!(state, State::EndpointNotInService);
    }

    #[tokio::test]
    async fn nobody_asks_the_champion_of_what_was_removed() {
        let aws = FakeAws::new();
        let target = Target::with_config("dev", aws.sdk_config());
        let platform = Platform::of_tests("bucket");
        let (state, trouble) = of(&target, &platform, &champion("xgboost"), None).await.unwrap();
        assert_eq!(state, State::RemovedUseCase);
        assert!(trouble.unwrap().contains("drivetrain onboard"));
        let (state, _) = of(&target, &platform, &champion("gone"), Some(&document()))
            .await
            .unwrap();
        assert_eq!(state, State::RemovedModel);
        assert_eq!(serde_json::to_value(state).unwrap(), "removed-model");
        assert!(aws.calls_of("DescribeEndpoint").is_empty());
    }
}
