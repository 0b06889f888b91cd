//! A processing job: a folder in place of `/opt/ml`, and the environment that SageMaker would set.

use super::{Ended, json_file, program, write};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use tempfile::TempDir;

/// Folder of the data, within the base folder.
pub const INPUT: &str = "processing/input/endpoint";
/// Folder of the results, within the base folder.
pub const OUTPUT: &str = "processing/output";

pub struct Job {
    base: TempDir,
    /// Variables in the job's configuration.
    environment: BTreeMap<String, String>,
    /// Variables in the process environment.
    pub process: BTreeMap<String, String>,
}

impl Job {
    /// A job for CSV with a header, unless it is changed.
    pub fn new() -> Self {
        let job = Self {
            base: tempfile::tempdir().unwrap(),
            environment: BTreeMap::new(),
            process: BTreeMap::new(),
        };
        job.set("dataset_source", &format!("/opt/ml/{INPUT}"))
            .set(
                "dataset_format",
                r#"{"csv":{"header":true,"output_columns_position":"START"}}"#,
            )
            .set("output_path", &format!("/opt/ml/{OUTPUT}"))
    }

    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Adds a file of data.
    pub fn data(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.file(&format!("{INPUT}/{name}"), content)
    }

    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        write(&self.path(path), content.as_ref());
        self
    }

    /// Uses the results of another job as the baseline, in the place where the SDK puts it.
    pub fn against(self, baseline: &Self) -> Self {
        let constraints = baseline.text("processing/output/constraints.json");
        let statistics = baseline.text("processing/output/statistics.json");
        self.against_texts(&constraints, &statistics)
    }

    pub fn against_texts(self, constraints: &str, statistics: &str) -> Self {
        self.file("processing/baseline/constraints/constraints.json", constraints)
            .file("processing/baseline/stats/statistics.json", statistics)
            .set(
                "baseline_constraints",
                "/opt/ml/processing/baseline/constraints/constraints.json",
            )
            .set(
                "baseline_statistics",
                "/opt/ml/processing/baseline/stats/statistics.json",
            )
    }

    pub fn run(&self) -> Ended {
        let config = json!({"ProcessingJobArn": "arn:aws:sagemaker:eu-west-1:123456789012:processing-job/test",
            "Environment": self.environment});
        write(
            &self.path("config/processingjobconfig.json"),
            config.to_string().as_bytes(),
        );
        let output = program()
            .env("SAGEMAKER_BASE_DIR", self.base.path())
            .envs(&self.process)
            .output();
        Ended::of(output.unwrap())
    }

    /// Runs a job that must succeed.
    #[track_caller]
    pub fn done(self) -> Self {
        self.run().expect_code(0);
        self
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.base.path().join(path)
    }

    #[track_caller]
    pub fn text(&self, path: &str) -> String {
        let path = self.path(path);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// A document of the results.
    #[track_caller]
    pub fn result(&self, name: &str) -> Value {
        json_file(&self.path(OUTPUT).join(name))
    }

    /// The job's exit message.
    #[track_caller]
    pub fn message(&self) -> String {
        self.text("output/message")
    }

    /// Names of all files of the results.
    pub fn files(&self) -> Vec<String> {
        let folder = std::fs::read_dir(self.path(OUTPUT)).unwrap();
        let mut names: Vec<String> = folder
            .map(|it| it.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Feature and type of each violation.
    #[track_caller]
    pub fn violations(&self) -> Vec<(String, String)> {
        let document = self.result("constraint_violations.json");
        let violations = document["violations"].as_array().unwrap().iter();
        let text = |it: &Value| it.as_str().unwrap_or_default().to_owned();
        violations
            .map(|it| {
                let name = if it["feature_name"].is_null() {
                    "metric_name"
                } else {
                    "feature_name"
                };
                (text(&it[name]), text(&it["constraint_check_type"]))
            })
            .collect()
    }
}
