//! Actions of people: they store documents, drop files, and call the API.

use super::documents::document;
use super::functions::{LINEAR_LEARNER, XGBOOST};
use super::{BUCKET, STACK, USE_CASE, World};
use crate::sagemaker::base_price;
use aws_lambda_events::apigw::ApiGatewayProxyRequest;
use contracts::places::{self, Drop, parameters};
use serde_json::{Value, json};
use std::sync::Arc;

/// A file of listings.
#[derive(Clone, Debug)]
pub struct Listings {
    pub rows: usize,
    /// Files with other seeds have other cars.
    pub seed: u64,
    /// The level of prices: 1 is the original world.
    pub level: f64,
    /// Cars with a higher price are left out.
    pub below: f64,
    /// Only this make, if one is named.
    pub make: Option<&'static str>,
}

impl Default for Listings {
    fn default() -> Self {
        Self {
            rows: 1_000,
            seed: 1,
            level: 1.0,
            below: f64::INFINITY,
            make: None,
        }
    }
}

impl Listings {
    /// Rows `year,odometer,model` and their prices.
    pub fn cars(&self) -> Vec<(String, f64)> {
        let mut random = self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        let mut cars = Vec::new();
        while cars.len() < self.rows {
            let make = ["civic", "ford", "bmw"][next(3) as usize];
            let row = format!("{},{},{make}", 2_004 + next(18), next(120_000));
            let by_chance = next(1_001) as f64 - 500.0;
            let price = (self.level * base_price(&row) + by_chance).round();
            if price > 0.0 && price <= self.below && self.make.is_none_or(|it| it == make) {
                cars.push((row, price));
            }
        }
        cars
    }

    /// The file with prices, for training.
    pub fn labelled(&self) -> String {
        let rows: String = self
            .cars()
            .iter()
            .map(|(row, price)| format!("{row},{price}\n"))
            .collect();
        format!("year,odometer,model,price\n{rows}")
    }

    /// The file without prices, for scoring.
    pub fn unlabelled(&self) -> String {
        let rows: String = self.cars().iter().map(|(row, _)| format!("{row}\n")).collect();
        format!("year,odometer,model\n{rows}")
    }
}

impl World {
    /// Stores a document, as onboarding does.
    pub fn onboard(&self, document: &Value) {
        let use_case = document["use_case"].as_str().unwrap();
        let key = places::use_case::config(use_case);
        let bytes = serde_json::to_vec_pretty(document).unwrap();
        let version_id = self.aws.put_object(BUCKET, &key, &bytes);
        let name = parameters::config(STACK, use_case);
        let known: Option<contracts::ConfigPointer> =
            self.aws.parameter(&name).map(|it| serde_json::from_str(&it).unwrap());
        let pointer = contracts::ConfigPointer {
            uri: places::uri(BUCKET, &key),
            sha256: contracts::pointer::sha256(&bytes),
            onboarding: match known {
                Some(pointer) => pointer.onboarding,
                None => Some(version_id.clone()),
            },
            version_id,
        };
        self.aws.put_parameter(&name, &serde_json::to_string(&pointer).unwrap());
    }

    /// Removes the use case, as offboarding does while runs hold its endpoints.
    pub fn remove(&self) {
        let parameters = self.aws.parameter_names(&format!("/drivetrain/{STACK}/{USE_CASE}/"));
        for name in parameters {
            self.aws.delete_parameter(&name);
        }
        self.aws.delete_object(BUCKET, &places::use_case::config(USE_CASE));
    }

    /// Drops a file and sends S3's event.
    pub fn drop_file(self: &Arc<Self>, drop: Drop, name: &str, content: impl AsRef<[u8]>) {
        let key = places::incoming(USE_CASE, drop) + name;
        let version = self.aws.put_object(BUCKET, &key, content);
        self.dropped(&key, &version);
    }

    /// Drops a file for training and waits until everything has settled.
    pub async fn train(self: &Arc<Self>, name: &str, listings: &Listings) {
        self.drop_file(Drop::Training, name, listings.labelled());
        self.settle().await;
    }

    /// Stores the document and makes a first champion of each model, all before the row begins.
    pub async fn with_champions(self: &Arc<Self>) {
        self.with_champions_of(&document()).await;
    }

    pub async fn with_champions_of(self: &Arc<Self>, document: &Value) {
        self.onboard(document);
        self.off_by(600.0);
        self.train("first.csv", &Listings::default()).await;
        for model in super::look::MODELS {
            assert!(
                self.champion(model).is_some(),
                "the preparation made no champion: {:#?}",
                self.aftermath()
            );
        }
        self.off_by(150.0);
        self.mark();
    }

    /// Sets the error of the next models: they win if it is smaller than before.
    pub fn off_by(&self, noise: f64) {
        for image in [XGBOOST, LINEAR_LEARNER] {
            self.sagemaker.trains_models_off_by(image, noise);
        }
    }

    /// The endpoint of a model's champion.
    pub fn endpoint(&self, model: &str) -> String {
        self.champion(model).unwrap()["endpoint_name"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The configuration of a model's champion.
    pub fn endpoint_config(&self, model: &str) -> String {
        self.champion(model).unwrap()["endpoint_config"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Drops a file for scoring and waits until everything has settled.
    pub async fn score(self: &Arc<Self>, name: &str, content: &str) {
        self.drop_file(Drop::Scoring, name, content);
        self.settle().await;
    }

    /// Stores what the endpoints have answered for a file's cars, one request each, in the form of data capture.
    pub fn answered(&self, request: &str, listings: &Listings) {
        for model in super::look::MODELS {
            let Some(champion) = self.champion(model) else { continue };
            let endpoint = champion["endpoint_name"].as_str().unwrap();
            let (config, model, variant) = self.sagemaker.serving(endpoint).unwrap();
            let artifact = self.sagemaker.artifact(&model).unwrap();
            let now = self.clock.now();
            let lines = listings.cars().into_iter().enumerate().map(|(number, (row, _))| {
                let side = |data: String| json!({"observedContentType": "text/csv", "data": data, "encoding": "CSV"});
                let answer = artifact.predict(&row).to_string();
                let line = json!({
                    "captureData": {"endpointInput": side(row), "endpointOutput": side(answer)},
                    "eventMetadata": {
                        "eventId": format!("{request}-{number}"), "inferenceId": format!("{request}-{number}"),
                        "inferenceTime": now.to_string(),
                    },
                    "eventVersion": "0",
                });
                format!("{line}\n")
            });
            let folder = config["DataCaptureConfig"]["DestinationS3Uri"].as_str().unwrap();
            let (bucket, folder) = places::parse_uri(folder).unwrap();
            let hour = now.strftime("%Y/%m/%d/%H");
            let key = format!("{folder}/{endpoint}/{variant}/{hour}/{request}.jsonl");
            self.aws.put_object(bucket, &key, lines.collect::<String>());
        }
    }

    /// The prices for which those cars were sold.
    pub fn ground_truth(request: &str, listings: &Listings) -> String {
        let cars = listings.cars().into_iter().enumerate();
        let rows = cars.map(|(number, (_, price))| format!("{request}-{number}#0,{price}\n"));
        format!("id,label\n{}", rows.collect::<String>())
    }

    /// Drops a better file for training and waits until everything has settled.
    pub async fn retrain(self: &Arc<Self>) {
        self.train(
            "second.csv",
            &Listings {
                seed: 2,
                ..Listings::default()
            },
        )
        .await;
    }
}

/// Calls the API; returns status and body.
pub async fn api(world: &World, use_case: &str, body: &str) -> (i64, Value) {
    let mut event = ApiGatewayProxyRequest::default();
    event.path_parameters.insert("use_case".to_owned(), use_case.to_owned());
    event
        .headers
        .insert("content-type", "application/json".parse().unwrap());
    event.body = Some(body.to_owned());
    let under_way = world.clock.call();
    let answer = Box::pin(world.functions.invoke_endpoints.handle(event)).await;
    drop(under_way);
    let body = answer.body.as_ref().map(|body| match body {
        aws_lambda_events::encodings::Body::Text(text) => serde_json::from_str(text).unwrap_or(Value::Null),
        _ => Value::Null,
    });
    (answer.status_code, body.unwrap_or(Value::Null))
}
