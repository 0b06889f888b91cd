//! The work of the jobs' containers. Preprocessing and training have small implementations of the simulation's own;
//! combining and the analyzer are the product's.

use super::analyzer;
use super::data::Artifact;
use super::folders::{document, files, write};
use super::preprocess::preprocess;
use contracts::places::parse_uri;
use contracts::scoring::CombineJob;
use fake_aws::FakeAws;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Trains a model, and stores the artifact where a training job leaves it.
pub fn train(aws: &FakeAws, job: &str, request: &Value, noise: f64) -> Result<Value, String> {
    let channel = |name: &str| {
        let channels = request["InputDataConfig"].as_array().into_iter().flatten();
        let mut channels = channels.filter(|it| it["ChannelName"] == name);
        let uri = channels.next().map(|it| &it["DataSource"]["S3DataSource"]["S3Uri"]);
        labelled(aws, uri.and_then(Value::as_str).unwrap_or_default())
    };
    let (rows, validation) = (channel("train")?, channel("validation")?);
    if rows.is_empty() || validation.is_empty() {
        return Err("AlgorithmError: a channel has no rows".to_owned());
    }
    let artifact = Artifact::learn(&rows, noise, job);
    let folder = request["OutputDataConfig"]["S3OutputPath"].as_str().unwrap_or_default();
    let url = format!("{}/{job}/output/model.tar.gz", folder.trim_end_matches('/'));
    put(aws, &url, serde_json::to_vec(&artifact).unwrap_or_default());
    let rmse = artifact.rmse(&validation);
    let metric = |name: &str, value: f64| json!({"MetricName": name, "Value": value, "Timestamp": 0});
    Ok(json!({
        "ModelArtifacts": {"S3ModelArtifacts": url},
        "FinalMetricDataList": [metric("validation:rmse", rmse), metric("validation:mse", rmse * rmse)],
        "TrainingTimeInSeconds": 300,
        "SecondaryStatus": "Completed",
    }))
}

/// Scores every object below a prefix, with the filters and the join of the request.
pub fn transform(aws: &FakeAws, request: &Value, model: &Artifact) -> Result<Value, String> {
    let prefix = request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"].as_str();
    let target = request["TransformOutput"]["S3OutputPath"].as_str().unwrap_or_default();
    let filters = &request["DataProcessing"];
    let filter = |name: &str| filters[name].as_str().map_or(Ok(Filter::All), Filter::parse);
    let (input, output) = (filter("InputFilter")?, filter("OutputFilter")?);
    let objects = below(aws, prefix.unwrap_or_default());
    if objects.is_empty() {
        return Err("ClientError: no objects below the prefix".to_owned());
    }
    for (name, content) in objects {
        let mut scored = String::new();
        for line in content.lines().filter(|line| !line.is_empty()) {
            let fields: Vec<&str> = line.split(',').collect();
            let answer = model.predict(&input.of(&fields).join(",")).to_string();
            let joined: Vec<&str> = fields.into_iter().chain([answer.as_str()]).collect();
            scored += &(output.of(&joined).join(",") + "\n");
        }
        put(
            aws,
            &format!("{}/{name}.out", target.trim_end_matches('/')),
            scored.into_bytes(),
        );
    }
    Ok(json!({}))
}

/// Runs a processing job in a folder of its own: fetches the inputs, runs the program, stores the outputs.
pub fn process(aws: &FakeAws, request: &Value) -> Result<Value, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let place = |path: &str| {
        folder
            .path()
            .join(path.trim_start_matches("/opt/ml/processing").trim_start_matches('/'))
    };
    for input in request["ProcessingInputs"].as_array().into_iter().flatten() {
        let of = |name: &str| input["S3Input"][name].as_str().unwrap_or_default();
        let objects = objects_below(aws, of("S3Uri"));
        if objects.is_empty() {
            return Err(format!("ClientError: no objects below {}", of("S3Uri")));
        }
        for (name, content) in objects {
            write(&place(of("LocalPath")).join(name), &content)?;
        }
    }
    let program = &request["AppSpecification"]["ContainerEntrypoint"];
    let program = program
        .as_array()
        .and_then(|it| it.last())
        .and_then(Value::as_str)
        .unwrap_or_default();
    let (input, output) = (folder.path().join("input"), folder.path().join("output"));
    match program.rsplit('/').next().unwrap_or_default() {
        "preprocess.py" => preprocess(&input, &output)?,
        "prepare_scoring.py" => prepare_scoring(&input, &output)?,
        "drivetrain-combine" => {
            let job: CombineJob = document(&input.join("code/scoring.json"))?;
            combine::merge(&job, &input, &output).map_err(|error| error.to_string())?;
        }
        "" => analyzer::run(&request["Environment"], folder.path())?,
        other => return Err(format!("the simulation has no program {other}")),
    }
    for written in request["ProcessingOutputConfig"]["Outputs"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let of = |name: &str| written["S3Output"][name].as_str().unwrap_or_default();
        let from = place(of("LocalPath"));
        for file in files(&from) {
            let name = file.strip_prefix(&from).unwrap_or(&file).display().to_string();
            put(
                aws,
                &format!("{}/{name}", of("S3Uri")),
                fs::read(&file).unwrap_or_default(),
            );
        }
    }
    Ok(json!({"ExitMessage": ""}))
}

/// Stands for `processing/prepare_scoring.py`: a row without a year is set aside.
fn prepare_scoring(input: &Path, output: &Path) -> Result<(), String> {
    let job: Value = document(&input.join("code/scoring.json"))?;
    let columns = column_names(&job["document"]);
    let run = job["run_id"].as_str().unwrap_or_default();
    let found = files(&input.join("data"));
    let file = found.first().ok_or("there is no file")?;
    let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
    let mut rejects = format!("row,reason,{}\n", text.lines().next().unwrap_or_default());
    let (mut rows, mut usable, mut rejected) = (String::new(), 0, 0);
    for (number, (row, line)) in table(file)?.into_iter().zip(text.lines().skip(1)).enumerate() {
        let raw: Vec<String> = columns
            .iter()
            .map(|name| row.get(name).cloned().unwrap_or_default())
            .collect();
        if raw[0].parse::<u32>().is_err() {
            rejects += &format!("{number},`year` must be a whole number,{line}\n");
            rejected += 1;
        } else {
            rows += &format!("{run}#{number},{}\n", raw.join(","));
            usable += 1;
        }
    }
    let reasons = if rejected == 0 {
        json!([])
    } else {
        json!([["`year` must be a whole number", rejected]])
    };
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let summary = json!({
        "rows": usable + rejected, "usable": usable, "rejected": rejected, "reasons": reasons, "file": name,
    });
    write(&output.join("rows/rows.csv"), rows.as_bytes())?;
    write(&output.join("rejects/rejects.csv"), rejects.as_bytes())?;
    write(&output.join("prepared/summary.json"), summary.to_string().as_bytes())
}

/// A filter such as `$[2:]` or `$[0,1,4]`.
enum Filter {
    All,
    From(usize),
    These(Vec<usize>),
}

impl Filter {
    fn parse(text: &str) -> Result<Self, String> {
        let unknown = || format!("the filter {text}");
        let inner = text
            .strip_prefix("$[")
            .and_then(|it| it.strip_suffix(']'))
            .ok_or_else(unknown)?;
        match inner.strip_suffix(':') {
            Some(from) => from.parse().map(Self::From).map_err(|_| unknown()),
            None => {
                let these: Result<Vec<usize>, _> = inner.split(',').map(str::parse).collect();
                these.map(Self::These).map_err(|_| unknown())
            }
        }
    }

    fn of<'a>(&self, fields: &[&'a str]) -> Vec<&'a str> {
        match self {
            Self::All => fields.to_vec(),
            Self::From(from) => fields.iter().skip(*from).copied().collect(),
            Self::These(these) => these.iter().filter_map(|at| fields.get(*at).copied()).collect(),
        }
    }
}

/// The rows `label,…` of the objects below a prefix.
fn labelled(aws: &FakeAws, uri: &str) -> Result<Vec<(f64, String)>, String> {
    let mut rows = Vec::new();
    for (name, text) in below(aws, uri) {
        for line in text.lines() {
            let (label, row) = line
                .split_once(',')
                .ok_or_else(|| format!("{name}: a row of one field"))?;
            let label = label
                .parse()
                .map_err(|_| format!("{name}: a label that is no number"))?;
            rows.push((label, row.to_owned()));
        }
    }
    Ok(rows)
}

/// The text of each object below a URI, with the part of its key that follows the URI.
fn below(aws: &FakeAws, uri: &str) -> Vec<(String, String)> {
    let text = |content: Vec<u8>| String::from_utf8_lossy(&content).into_owned();
    let objects = objects_below(aws, uri).into_iter();
    objects.map(|(name, content)| (name, text(content))).collect()
}

fn objects_below(aws: &FakeAws, uri: &str) -> Vec<(String, Vec<u8>)> {
    let Some((bucket, prefix)) = parse_uri(uri) else {
        return Vec::new();
    };
    let keys = aws.keys(bucket, prefix).into_iter();
    keys.filter_map(|key| {
        let content = aws.object(bucket, &key)?;
        let name = key
            .strip_prefix(prefix)
            .unwrap_or(&key)
            .trim_start_matches('/')
            .to_owned();
        // A prefix may be the whole key of an object.
        let whole = || key.rsplit('/').next().unwrap_or(&key).to_owned();
        Some((if name.is_empty() { whole() } else { name }, content))
    })
    .collect()
}

fn put(aws: &FakeAws, uri: &str, content: Vec<u8>) {
    if let Some((bucket, key)) = parse_uri(uri) {
        aws.put_object(bucket, key, content);
    }
}

fn column_names(config: &Value) -> Vec<String> {
    let columns = config["schema"]["columns"].as_array().into_iter().flatten();
    columns
        .filter_map(|it| it["name"].as_str().map(str::to_owned))
        .collect()
}

fn table(path: &Path) -> Result<Vec<BTreeMap<String, String>>, String> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_path(path)
        .map_err(|error| error.to_string())?;
    let rows = reader.deserialize::<BTreeMap<String, String>>();
    rows.collect::<Result<_, _>>().map_err(|error| error.to_string())
}
