//! A stack that was set up when names were shorter and `champion.json` had fewer fields: it continues to serve, to be
//! monitored, and to learn.

use crate::case::Case;
use crate::data;
use crate::monitoring::{WATCHED, only};
use crate::wait;
use contracts::champion::ChampionMirror;
use contracts::{Champion, Verdict, names, places};
use serde_json::{Value, json};
use std::time::Duration;

/// The fields that `champion.json` did not have then.
const LATER_FIELDS: [&str; 3] = ["holdout", "holdout_reference_rmse", "encoded_row_bytes"];

/// Longer than invoke-endpoints caches what it has read about champions.
const KNOWN_FOR: Duration = Duration::from_secs(15);

impl Case {
    /// Turns the champion into one of an earlier version: its pipeline doesn't know its run, its endpoint has a name of
    /// that time, and its document has none of the later fields.
    async fn backdate(&self, model: &str) -> Champion {
        let champion = self.champion(model).await.unwrap();
        let of_old = |rest: &str| format!("{}-{}-{model}-{rest}", self.stack.name, self.id);
        let endpoint = of_old(&champion.schema_hash);
        let (config, pipeline) = (of_old("ab12cd34-conf-10"), of_old("ab12cd34-model-10"));
        let tags = [
            (names::TAG_STACK, self.stack.name.as_str()),
            (names::TAG_USE_CASE, &self.id),
            (names::TAG_MODEL, model),
        ];
        let tags = tags.map(|(key, value)| json!({"Key": key, "Value": value}));

        let request = json!({"ModelName": champion.model_name});
        let described = self.stack.sagemaker("DescribeModel", &request).await;
        let mut containers = described["Containers"].clone();
        for container in containers.as_array_mut().unwrap() {
            let known = container["Environment"].as_object_mut();
            known.and_then(|variables| variables.remove("DRIVETRAIN_RUN"));
        }
        let request = json!({
            "ModelName": pipeline, "Containers": containers, "ExecutionRoleArn": described["ExecutionRoleArn"], "Tags": tags,
        });
        self.stack.sagemaker("CreateModel", &request).await;

        let request = json!({"EndpointConfigName": champion.endpoint_config});
        let described = self.stack.sagemaker("DescribeEndpointConfig", &request).await;
        let mut variants = described["ProductionVariants"].clone();
        variants[0]["ModelName"] = json!(pipeline);
        let mut capture = described["DataCaptureConfig"].clone();
        let folder = places::use_case::capture(&self.id, &config);
        capture["DestinationS3Uri"] = json!(places::uri(&self.stack.bucket, folder.trim_end_matches('/')));
        let request = json!({
            "EndpointConfigName": config, "ProductionVariants": variants, "DataCaptureConfig": capture, "Tags": tags,
        });
        self.stack.sagemaker("CreateEndpointConfig", &request).await;
        let request = json!({"EndpointName": endpoint, "EndpointConfigName": config, "Tags": tags});
        self.stack.sagemaker("CreateEndpoint", &request).await;
        wait::until("the old endpoint is in service", wait::RUN, async || {
            (self.endpoint(&endpoint).await["EndpointStatus"] == "InService").then_some(())
        })
        .await;

        let mut written = serde_json::to_value(&champion).unwrap();
        for field in LATER_FIELDS {
            written.as_object_mut().unwrap().remove(field);
        }
        written["model_name"] = json!(pipeline);
        written["endpoint_name"] = json!(endpoint);
        written["endpoint_config"] = json!(config);
        for key in [
            places::use_case::champion(&self.id, model),
            places::use_case::history(&self.id, model, &champion.run_id),
        ] {
            self.stack.put(&key, written.to_string()).await;
        }
        let old: Champion = serde_json::from_value(written).unwrap();
        let mirror = serde_json::to_string(&ChampionMirror::from(&old)).unwrap();
        let name = places::parameters::model(&self.stack.name, &self.id, model, "champion");
        let request = self.stack.parameters.put_parameter().name(name).value(mirror);
        request.overwrite(true).send().await.unwrap();
        // By then every instance of invoke-endpoints has read the changed champion, and calls the old endpoint.
        tokio::time::sleep(KNOWN_FOR).await;
        let request = json!({"EndpointName": champion.endpoint_name});
        self.stack.sagemaker("DeleteEndpoint", &request).await;
        old
    }
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn a_champion_of_earlier_days_serves_on_is_watched_and_is_succeeded() {
    let case = Case::with("old", "one-model.yaml", &[WATCHED]).await;
    let (first, _) = case.trained("cars.csv", 400).await;
    case.answers_as("xgboost", &first.id).await;
    let value = |answer: &[Value]| answer[0]["models"]["xgboost"]["value"].clone();
    let before = value(case.predict().await.predictions());
    let old = case.backdate("xgboost").await;

    // It answers as it did, and a tick finds nothing to repair or to retire.
    wait::until("the old endpoint answers", wait::MOMENT, async || {
        let answer = case.predict().await;
        (answer.status == 200 && !answer.degraded()).then_some(())
    })
    .await;
    let answer = case.predict().await;
    assert_eq!(value(answer.predictions()), before);
    assert_eq!(
        answer.predictions()[0]["models"]["xgboost"]["version"],
        first.id.to_string()
    );
    case.stack
        .call("check-endpoint", &json!({"mode": "reconcile"}))
        .await
        .unwrap();
    let endpoint = case.endpoint(&old.endpoint_name).await;
    assert_eq!(endpoint["EndpointStatus"], "InService");
    assert_eq!(endpoint["EndpointConfigName"], old.endpoint_config.as_str());

    // Its answers are monitored.
    case.send("usual", &only(&data::instances(1_000, 1_120)), &["xgboost"])
        .await;
    let watched = case.watch("xgboost").await;
    assert_eq!(watched.outcome("data"), "clean", "{watched:#?}");
    assert!(watched.window.records >= 120, "{:#?}", watched.window);
    assert_eq!(watched.window.champion.as_ref(), Some(&first.id));

    // A worse candidate is compared with it on its own holdout; a better one takes its place, under the new name.
    let (_, ended) = case.trained("few.csv", 60).await;
    let comparison = ended.decision("xgboost").comparison.as_ref().unwrap();
    let own = comparison.champions_holdout.as_ref().unwrap();
    assert!(own.place.contains(&first.id.to_string()), "{own:#?}");
    assert_eq!(case.champion("xgboost").await.as_ref(), Some(&old));
    assert_eq!(
        case.endpoint(&old.endpoint_name).await["EndpointConfigName"],
        old.endpoint_config.as_str()
    );

    let (better, ended) = case.trained("cars.csv", 3_000).await;
    ended.decided(&[("xgboost", Verdict::Exported)]);
    let champion = case.champion("xgboost").await.unwrap();
    assert_eq!(champion.run_id, better.id);
    assert!(
        champion
            .endpoint_name
            .starts_with(&format!("{}--{}-", case.stack.name, case.id))
    );
    case.answers_as("xgboost", &better.id).await;

    // The old endpoint is no longer used: the tick reports that, and when it will be deleted.
    case.stack
        .call("check-endpoint", &json!({"mode": "reconcile"}))
        .await
        .unwrap();
    case.mail("the old endpoint is read by nobody", |mail| {
        mail.subject.contains("an endpoint that nobody reads") && mail.message.contains(&old.endpoint_name)
    })
    .await;
    let request = json!({"EndpointName": old.endpoint_name});
    case.stack.sagemaker("DeleteEndpoint", &request).await;
    case.finish().await;
}
