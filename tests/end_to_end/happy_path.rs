//! A drop becomes two champions that answer requests.

use crate::case::{Case, Run};
use crate::data::car;
use crate::stack::instances;
use crate::wait;
use base64::prelude::{BASE64_STANDARD, Engine as _};
use contracts::champion::ChampionMirror;
use contracts::{Champion, Verdict, places};
use serde_json::{Value, json};

const MODELS: [&str; 2] = ["linear-learner", "xgboost"];

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn a_drop_becomes_champions_that_answer_requests() {
    let case = Case::new("happy", "two-models.yaml").await;
    let bystander = Case::new("other", "one-model.yaml").await;
    assert_eq!(case.predict().await.status, 503, "there is no champion yet");

    let (run, ended) = case.trained("cars.csv", 400).await;
    ended.decided(&MODELS.map(|model| (model, Verdict::Exported)));

    let mut champions = Vec::new();
    for model in MODELS {
        let champion = case.champion(model).await.unwrap();
        assert_eq!((&champion.run_id, &champion.previous), (&run.id, &None));
        assert_eq!(champion.columns, ["year", "mileage_km", "fuel", "color"]);
        let judged = ended.decision(model).comparison.as_ref().unwrap();
        assert_eq!(Some(champion.holdout_rmse), judged.candidate_rmse);
        assert_eq!(
            (champion.holdout_rows, judged.champion_rmse),
            (judged.holdout_rows, None)
        );
        mirrored(&case, &champion).await;
        serving(&case, &champion).await;
        baselines(&case, &run, &champion).await;
        let history = places::use_case::history(&case.id, model, &run.id);
        assert_eq!(
            case.stack.document::<Champion>(&history).await.as_ref(),
            Some(&champion)
        );
        champions.push(champion);
    }
    scales(&case, &champions[1]).await;
    // The function looks for champions every few seconds.
    wait::until("both champions answer", wait::MOMENT, async || {
        let answer = case.predict().await;
        (answer.status == 200 && !answer.degraded()).then_some(())
    })
    .await;
    people_are_told(&case, &bystander, &run).await;
    requests_are_answered(&case, &run).await;
    for champion in &champions {
        captured(&case, champion).await;
    }
    mistakes_are_named(&case).await;
    bystander.finish().await;
    case.finish().await;
}

/// Checks that Parameter Store has what `champion.json` has.
async fn mirrored(case: &Case, champion: &Champion) {
    let model = &champion.model;
    let mirror = case.parameter(model, "champion").await.unwrap();
    assert_eq!(
        serde_json::from_str::<ChampionMirror>(&mirror).unwrap(),
        ChampionMirror::from(champion)
    );
    for (name, value) in [
        ("model-name", &champion.model_name),
        ("endpoint-name", &champion.endpoint_name),
        ("endpoint-config", &champion.endpoint_config),
    ] {
        assert_eq!(
            case.parameter(model, name).await.as_ref(),
            Some(value),
            "{model} {name}"
        );
    }
    let candidate = case.parameter(model, "candidate").await.unwrap();
    assert!(candidate.contains(&champion.run_id.to_string()), "{candidate}");
}

/// Checks that the endpoint is in service on the champion's configuration, and that its resources are tagged.
async fn serving(case: &Case, champion: &Champion) {
    let endpoint = case.endpoint(&champion.endpoint_name).await;
    assert_eq!(endpoint["EndpointStatus"], "InService");
    assert_eq!(endpoint["EndpointConfigName"], champion.endpoint_config.as_str());
    let request = json!({"TrainingJobName": champion.training_job});
    let job = case.stack.sagemaker("DescribeTrainingJob", &request).await;
    assert_eq!(job["TrainingJobStatus"], "Completed");
    let tags = case
        .stack
        .sagemaker("ListTags", &json!({"ResourceArn": job["TrainingJobArn"]}))
        .await;
    let tags = tags["Tags"].as_array().unwrap();
    for (key, value) in [
        ("drivetrain:stack", &case.stack.name),
        ("drivetrain:use-case", &case.id),
        ("drivetrain:model", &champion.model),
        ("drivetrain:run-id", &champion.run_id.to_string()),
    ] {
        assert!(tags.contains(&json!({"Key": key, "Value": value})), "{key} in {tags:?}");
    }
}

/// Checks that the champion names what its live data will be compared with: the raw columns of its training rows, and
/// its errors on the holdout.
async fn baselines(case: &Case, run: &Run, champion: &Champion) {
    let (places, model) = (case.places(&run.id), &champion.model);
    let named = champion.baselines.as_ref().unwrap();
    let folders = ["data", "quality"].map(|of| places.baseline(model, of));
    assert_eq!(
        [&named.data, &named.quality].map(String::clone),
        folders.each_ref().map(|folder| places::uri(&case.stack.bucket, folder))
    );
    let document = async |key: String| {
        let document: Option<Value> = case.stack.document(&key).await;
        document.unwrap_or_else(|| panic!("there is no {key}"))
    };
    let [data, quality] = folders;

    let raw = case.stack.get(&(places.data("raw") + "train.csv")).await.unwrap();
    // The columns have no line breaks: one line per row, after the header.
    let rows = std::str::from_utf8(&raw).unwrap().lines().count() - 1;
    let statistics = document(format!("{data}statistics.json")).await;
    assert_eq!(statistics["dataset"]["item_count"], rows, "{statistics:#}");
    for of in [statistics, document(format!("{data}constraints.json")).await] {
        let features = of["features"].as_array().unwrap();
        let names: Vec<&str> = features.iter().map(|it| it["name"].as_str().unwrap()).collect();
        assert_eq!(names, champion.columns);
        // The types of the document; live rows are written in the same form.
        let types = features.iter().map(|it| it["inferred_type"].as_str().unwrap());
        assert_eq!(types.collect::<Vec<_>>(), ["Integral", "Integral", "String", "String"]);
    }

    let statistics = document(format!("{quality}statistics.json")).await;
    let rmse = statistics["regression_metrics"]["rmse"]["value"].as_f64().unwrap();
    assert!(
        (rmse / champion.holdout_rmse - 1.0).abs() <= 1e-9,
        "{model}: the analyzer says {rmse}, the gate {}",
        champion.holdout_rmse
    );
    let constraints = document(format!("{quality}constraints.json")).await;
    let threshold = &constraints["regression_constraints"]["rmse"];
    assert_eq!(threshold["threshold"], json!(rmse), "{constraints:#}");
    assert_eq!(threshold["comparison_operator"], "GreaterThanThreshold");
}

/// Checks that the document's scaling is registered.
async fn scales(case: &Case, champion: &Champion) {
    let resource = format!("endpoint/{}/variant/{}", champion.endpoint_name, champion.variant_name);
    let request = json!({"ServiceNamespace": "sagemaker", "ResourceIds": [resource]});
    let targets = case.stack.scaling("DescribeScalableTargets", &request).await;
    let target = &targets["ScalableTargets"][0];
    assert_eq!(
        (&target["MinCapacity"], &target["MaxCapacity"]),
        (&json!(1), &json!(3)),
        "{targets}"
    );
    let request = json!({"ServiceNamespace": "sagemaker", "ResourceId": resource});
    let policies = case.stack.scaling("DescribeScalingPolicies", &request).await;
    let configuration = &policies["ScalingPolicies"][0]["TargetTrackingScalingPolicyConfiguration"];
    assert_eq!(configuration["TargetValue"], json!(200.0), "{policies}");
}

/// Checks that the end is mailed to the recipients of this use case, and to no others.
async fn people_are_told(case: &Case, bystander: &Case, run: &Run) {
    let mail = case.end_mail(&run.id).await;
    assert!(
        mail.subject.contains("succeeded: xgboost exported, linear-le"),
        "{mail:?}"
    );
    assert!(
        mail.message
            .contains("All of its 2 models were exported and serve now."),
        "{mail:?}"
    );
    assert_eq!(mail.message_attributes["severity"], "info");
    assert!(
        case.mails()
            .iter()
            .all(|mail| mail.message_attributes["use_case"] == case.id)
    );
    assert_eq!(bystander.mails().len(), 0, "{:?}", bystander.mails());
}

/// Checks that JSON and CSV mean the same, that the larger value counts, and that every value names its version.
async fn requests_are_answered(case: &Case, run: &Run) {
    let strange = json!({"year": 2017, "fuel": "diesel", "color": "ochre"});
    let body = json!({"inference_id": "mine-1", "instances": [car(), strange]});
    let answer = case
        .stack
        .predict(&case.id, "application/json", body.to_string(), None)
        .await;
    assert_eq!(
        (answer.degraded(), &answer.body["inference_id"]),
        (false, &json!("mine-1"))
    );
    let predictions = answer.predictions();
    for (row, prediction) in predictions.iter().enumerate() {
        assert_eq!(prediction["id"], format!("mine-1#{row}"));
        let values = MODELS.map(|model| {
            assert_eq!(prediction["models"][model]["version"], run.id.to_string());
            prediction["models"][model]["value"].as_f64().unwrap()
        });
        assert_eq!(
            prediction["value"].as_f64().unwrap(),
            values[0].max(values[1]),
            "{prediction}"
        );
    }
    assert_eq!(predictions[0]["warnings"], json!([]));
    assert_eq!(predictions[1]["warnings"][0]["field"], "color", "{}", predictions[1]);
    // The cars' prices are between 500 and 45,000; a 2017 diesel's is well within.
    let value = predictions[0]["value"].as_f64().unwrap();
    assert!((5_000.0..30_000.0).contains(&value), "{value}");

    // The columns in another order.
    let csv = "fuel,year,color,mileage_km\ndiesel,2017,red,80500.5\n".to_owned();
    let answer = case.stack.predict(&case.id, "text/csv", csv, None).await;
    let of = |prediction: &Value| (prediction["value"].clone(), prediction["models"].clone());
    assert_eq!(of(&answer.predictions()[0]), of(&predictions[0]));
    let id = answer.body["inference_id"].as_str().unwrap();
    assert_eq!(answer.predictions()[0]["id"], format!("{id}#0"));
}

/// Checks that raw rows and answers are captured under the prefix of the configuration.
async fn captured(case: &Case, champion: &Champion) {
    let prefix = places::use_case::capture(&case.id, &champion.endpoint_config);
    let what = format!("the request mine-1 is captured under {prefix}");
    let record: Value = wait::until(&what, wait::MOMENT, async || {
        for key in case.stack.keys(&prefix).await {
            let bytes = case.stack.get(&key).await.unwrap();
            let mut records = std::str::from_utf8(&bytes)
                .unwrap()
                .lines()
                .map(|line| serde_json::from_str(line).unwrap());
            if let Some(found) = records.find(|record: &Value| record["eventMetadata"]["inferenceId"] == "mine-1") {
                return Some(found);
            }
        }
        None
    })
    .await;
    let input = payload(&record["captureData"]["endpointInput"]);
    assert_eq!(
        input.lines().collect::<Vec<_>>(),
        ["2017,80500.5,diesel,red", "2017,,diesel,ochre"]
    );
    let output = payload(&record["captureData"]["endpointOutput"]);
    let numbers: Result<Vec<f64>, _> = output.lines().map(str::parse).collect();
    assert_eq!(numbers.map(|numbers| numbers.len()), Ok(2), "{output}");
}

/// One side of a captured request. Containers name a charset, and data with such a content type is captured in base64.
fn payload(side: &Value) -> String {
    let data = side["data"].as_str().unwrap();
    match side["encoding"].as_str().unwrap() {
        "CSV" => data.to_owned(),
        "BASE64" => String::from_utf8(BASE64_STANDARD.decode(data).unwrap()).unwrap(),
        other => panic!("{other}: {side}"),
    }
}

async fn mistakes_are_named(case: &Case) {
    let stack = &case.stack;
    let good = || instances(&[car()]);
    let no_key = stack.predict(&case.id, "application/json", good(), Some("")).await;
    let wrong_key = stack.predict(&case.id, "application/json", good(), Some("wrong")).await;
    assert_eq!((no_key.status, wrong_key.status), (403, 403));
    let nobody = stack.predict("nobody", "application/json", good(), None).await;
    assert_eq!(
        (nobody.status, nobody.error_type()),
        (404, "UseCaseUnknown"),
        "{}",
        nobody.body
    );
    for body in ["{", "{}", r#"{"instances": []}"#, r#"{"instances": [1]}"#] {
        let answer = stack.predict(&case.id, "application/json", body.to_owned(), None).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.body);
    }
    let xml = stack
        .predict(&case.id, "application/xml", "<car/>".to_owned(), None)
        .await;
    assert_eq!(xml.status, 415, "{}", xml.body);
    let many = case.predict_json(&vec![car(); 501]).await;
    assert!([400, 413].contains(&many.status), "{}", many.body);
    for (instance, field) in [
        (json!({"fuel": "petrol"}), "year"),
        (json!({"year": 2017, "fuel": "steam"}), "fuel"),
        (json!({"year": 1812, "fuel": "petrol"}), "year"),
        (json!({"year": 2017, "fuel": "petrol", "price": 1}), "price"),
        (json!({"year": 2017, "fuel": "petrol", "wheels": 4}), "wheels"),
    ] {
        let answer = case.predict_json(std::slice::from_ref(&instance)).await;
        assert_eq!(
            (answer.status, answer.error_type()),
            (422, "InstancesInvalid"),
            "{}",
            answer.body
        );
        let fields = answer.body["error"]["fields"].as_array().unwrap();
        assert!(
            fields.iter().any(|it| it["instance"] == 0 && it["field"] == field),
            "{instance}: {fields:?}"
        );
    }
    assert_eq!(case.predict_json(&vec![car(); 500]).await.predictions().len(), 500);
}
