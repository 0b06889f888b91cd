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
