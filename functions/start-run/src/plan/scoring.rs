//! The plan of a scoring run.

use super::{Job, PROCESSING, Planner};
use crate::settings::Settings;
use contracts::names::{self, Step};
use contracts::places;
use contracts::plan::Preprocess;
use contracts::scoring::{OUTCOMES, ScoringModel, input_filter, output_filter};
use contracts::use_case::{Model, UseCase};
use contracts::{Champion, ScoringPlan};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How long a container may take for one request, and how often it is asked again.
const ANSWER_TIMEOUT_S: u32 = 600;
const ANSWER_RETRIES: u32 = 2;

/// The whole plan; the models that have a champion take part.
pub fn scoring(
    document: &UseCase,
    settings: &Settings,
    job: &Job<'_>,
    champions: &BTreeMap<String, Champion>,
) -> ScoringPlan {
    let planner = Planner::new(document, settings, *job);
    let models = document.models.iter();
    ScoringPlan {
        stack: settings.stack.clone(),
        use_case: document.use_case.clone(),
        run_id: job.run_id.clone(),
        bucket: settings.bucket.clone(),
        config_version: job.config_version.to_owned(),
        preprocess: planner.prepare(),
        outcomes_key: planner.scores() + OUTCOMES,
        models: models
            .filter_map(|model| Some(planner.score(model, champions.get(&model.name)?)))
            .collect(),
        combine: planner.combine(),
    }
}

impl Planner<'_> {
    fn prepare(&self) -> Preprocess {
        let outputs = ["rows", "rejects", "prepared"]
            .map(|part| self.output(part, &format!("output/{part}"), &self.places.data(part)));
        self.script("prepare_scoring.py", ["--job", "scoring.json"], &outputs)
    }

    fn score(&self, model: &Model, champion: &Champion) -> ScoringModel {
        let (stack, use_case) = (&self.settings.stack, &self.document.use_case);
        let mut request = self.transform(
            &self.places.data("rows"),
            &input_filter(self.document),
            &output_filter(self.document),
        );
        request["ModelName"] = champion.model_name.clone().into();
        request["TransformOutput"] = json!({
            "S3OutputPath": self.folder_uri(&format!("{}{}", self.scores(), model.name)),
            "Accept": "text/csv",
            "AssembleWith": "Line",
        });
        request["ModelClientConfig"] = json!({
            "InvocationsTimeoutInSeconds": ANSWER_TIMEOUT_S,
            "InvocationsMaxRetries": ANSWER_RETRIES,
        });
        request["Tags"] = self.tags(Some(model));
        ScoringModel {
            run: self.run_of(model),
            job_name: names::model_step(stack, use_case, &model.name, self.job.run_id, Step::Score),
            champion: champion.run_id.clone(),
            model_name: champion.model_name.clone(),
            request,
        }
    }

    fn combine(&self) -> Preprocess {
        let data = ["rows", "rejects", "prepared"].map(|part| self.input(part, &self.places.data(part)));
        let mut inputs: Vec<Value> = vec![
            self.input("code", &self.places.code()),
            self.input("data", &self.places.input()),
            self.input("scores", &self.scores()),
        ];
        inputs.extend(data);
        let scored = places::use_case::scored(&self.document.use_case, self.job.run_id);
        let capture = format!("{}/capture/", self.document.use_case);
        let program = json!({
            "ImageUri": self.settings.images.monitor,
            "ContainerEntrypoint": ["/drivetrain-combine"],
            "ContainerArguments": [
                "--job", format!("{PROCESSING}/input/code/scoring.json"),
                "--input", format!("{PROCESSING}/input"),
                "--output", format!("{PROCESSING}/output"),
            ],
        });
        let outputs = [
            self.output("scored", "output/scored", &scored),
            self.output("capture", "output/capture", &capture),
        ];
        let job_name = names::combine_job(&self.settings.stack, &self.document.use_case, self.job.run_id);
        self.run_job(job_name, &program, &inputs, &outputs)
    }

    /// What the transform jobs answer: a folder a model.
    fn scores(&self) -> String {
        self.places.root() + "scores/"
    }
}
