//! The mirror of the champion in Parameter Store, for readers that don't use the bucket.

use contracts::champion::ChampionMirror;
use contracts::places::parameters;
use contracts::{Champion, ModelRun};

/// Names and values of the parameters that mirror a champion.
pub fn parameters(stack: &str, run: &ModelRun, champion: &Champion) -> [(String, String); 4] {
    let json = serde_json::json!(ChampionMirror::from(champion)).to_string();
    [
        ("champion", json),
        ("model-name", champion.model_name.clone()),
        ("endpoint-name", champion.endpoint_name.clone()),
        ("endpoint-config", champion.endpoint_config.clone()),
    ]
    .map(|(name, value)| (parameters::model(stack, &run.use_case, &run.model, name), value))
}
