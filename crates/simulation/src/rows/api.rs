//! Predictions.

use super::{Row, play};
use crate::world::{api, document};

pub fn rows() -> Vec<Row> {
    vec![
        Row {
            name: "predicted",
            fault: "none: a request",
            ends: &[],
            serves: "before",
            told: &[],
            play: play!(world {
                world.with_champions().await;
                let (status, body) = api(&world, "cars", r#"{"instances": [{"year": 2015, "odometer": 1000, "model": "bmw"}]}"#).await;
                anyhow::ensure!(status == 200, "{status}: {body}");
            }),
        },
        Row {
            name: "one-endpoint-down",
            fault: "one model's endpoint answers errors",
            ends: &[],
            serves: "before",
            told: &[],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("InvokeEndpoint", ["xgb"]).times(2).fails("ModelError");
                let (status, body) = api(&world, "cars", r#"{"instances": [{"year": 2015, "odometer": 1000, "model": "bmw"}]}"#).await;
                anyhow::ensure!(status == 200 && body["degraded"] == true, "{status}: {body}");
            }),
        },
        Row {
            name: "column-lost",
            fault: "the document loses a column that the champions were trained with: requests may still give it, and \
                    each answer says how it was used",
            ends: &[],
            serves: "before",
            told: &[],
            play: play!(world {
                world.with_champions().await;
                let given = r#"{"instances": [{"year": 2015, "odometer": 100000, "model": "bmw"}]}"#;
                let (_, before) = api(&world, "cars", given).await;
                let mut document = document();
                document["schema"]["columns"].as_array_mut().unwrap().retain(|column| column["name"] != "odometer");
                world.onboard(&document);
                let (status, body) = api(&world, "cars", given).await;
                let prediction = &body["predictions"][0];
                anyhow::ensure!(status == 200 && prediction["value"] == before["predictions"][0]["value"], "{status}: {body}");
                anyhow::ensure!(prediction["warnings"][0]["message"].to_string().contains("it is used"), "{body}");
                let (status, body) = api(&world, "cars", r#"{"instances": [{"year": 2015, "model": "bmw"}]}"#).await;
                let warning = &body["predictions"][0]["warnings"][0];
                anyhow::ensure!(status == 200 && warning["field"] == "odometer", "{status}: {body}");
                anyhow::ensure!(warning["message"].to_string().contains("counts as missing"), "{body}");
            }),
        },
        Row {
            name: "no-champion-yet",
            fault: "a request before any champion",
            ends: &[],
            serves: "none",
            told: &[],
            play: play!(world {
                world.onboard(&document());
                let (status, body) = api(&world, "cars", r#"{"instances": [{"year": 2015, "odometer": 1000, "model": "bmw"}]}"#).await;
                anyhow::ensure!(status == 503 || status == 409, "{status}: {body}");
            }),
        },
    ]
}
