//! Regenerates the excerpts of AWS's models from an installed botocore (Apache-2.0), whose `data` folder is given:
//!
//!     BOTOCORE_DATA=…/botocore/data cargo test -p simulation excerpts -- --ignored
//!
//! The environments that `cargo xtask` makes in `target/local/venvs` have one.

use serde_json::{Map, Value};
use std::io::Read as _;
use std::path::Path;

/// Operations whose requests are checked, and those whose results are read.
const SERVICES: [(&str, &str, &[&str], &[&str]); 2] = [
    (
        "sagemaker",
        "2017-07-24",
        &[
            "CreateProcessingJob",
            "CreateTrainingJob",
            "CreateTransformJob",
            "CreateModel",
            "CreateEndpointConfig",
            "CreateEndpoint",
            "UpdateEndpoint",
            "DeleteEndpoint",
        ],
        &[
            "DescribeProcessingJob",
            "DescribeTrainingJob",
            "DescribeTransformJob",
            "CreateModel",
            "CreateEndpointConfig",
            "CreateEndpoint",
            "UpdateEndpoint",
        ],
    ),
    (
        "application-autoscaling",
        "2016-02-06",
        &["RegisterScalableTarget", "DeregisterScalableTarget", "PutScalingPolicy"],
        &[],
    ),
];

#[test]
#[ignore = "writes the excerpts, of an installed botocore"]
fn are_made_of_botocore() {
    let data = std::env::var("BOTOCORE_DATA").expect("BOTOCORE_DATA names botocore's data folder");
    for (service, version, asked, answered) in SERVICES {
        let path = Path::new(&data).join(service).join(version).join("service-2.json.gz");
        let mut text = String::new();
        let file = std::fs::File::open(&path).unwrap();
        flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
        let model: Value = serde_json::from_str(&text).unwrap();
        let (mut operations, mut shapes) = (Map::new(), Map::new());
        for (names, side) in [(asked, "input"), (answered, "output")] {
            for name in names {
                let shape = &model["operations"][name][side]["shape"];
                let operation = operations.entry(*name).or_insert_with(|| Value::Object(Map::new()));
                operation[side]["shape"] = shape.clone();
                keep(&model, shape.as_str().unwrap(), side == "output", &mut shapes);
            }
        }
        let lines = |entries: &Map<String, Value>| {
            let lines: Vec<String> = entries
                .iter()
                .map(|(name, it)| format!("    \"{name}\": {it}"))
                .collect();
            lines.join(",\n")
        };
        let excerpt = format!(
            "{{\n  \"metadata\": {{}},\n  \"operations\": {{\n{}\n  }},\n  \"shapes\": {{\n{}\n  }}\n}}\n",
            lines(&operations),
            lines(&shapes)
        );
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/seam/service_models");
        std::fs::write(folder.join(format!("{service}.json")), excerpt).unwrap();
    }
}

/// Keeps a shape and those below it; for an output, only what it guarantees.
fn keep(model: &Value, name: &str, promised: bool, shapes: &mut Map<String, Value>) {
    if shapes.contains_key(name) {
        return;
    }
    let whole = model["shapes"][name].as_object().unwrap();
    let mut kept = Map::new();
    for field in [
        "type",
        "required",
        "min",
        "max",
        "pattern",
        "enum",
        "union",
        "sensitive",
    ] {
        kept.extend(whole.get(field).map(|value| (field.to_owned(), value.clone())));
    }
    let reference = |value: &Value| serde_json::json!({"shape": value["shape"]});
    for field in ["member", "key", "value"] {
        kept.extend(whole.get(field).map(|value| (field.to_owned(), reference(value))));
    }
    if let Some(members) = whole.get("members").and_then(Value::as_object) {
        let required: Vec<&Value> = whole
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .collect();
        let members = members
            .iter()
            .filter(|(member, _)| !promised || required.iter().any(|it| *it == member.as_str()))
            .map(|(member, value)| (member.clone(), reference(value)));
        kept.insert("members".to_owned(), members.collect::<Map<_, _>>().into());
    }
    let below: Vec<String> = ["member", "key", "value"]
        .iter()
        .filter_map(|field| kept.get(*field))
        .chain(
            kept.get("members")
                .and_then(Value::as_object)
                .into_iter()
                .flat_map(Map::values),
        )
        .filter_map(|it| it["shape"].as_str().map(str::to_owned))
        .collect();
    shapes.insert(name.to_owned(), kept.into());
    below.iter().for_each(|shape| keep(model, shape, promised, shapes));
}
