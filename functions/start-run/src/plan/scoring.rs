//! The plan of a scoring run.

use super::{Job, PROCESSING, Planner};
use crate::settings::Settings;
use contracts::names::{self, Step};
use contracts::places::{self, RunPlaces};
use contracts::plan::{ModelRun, Preprocess};
use contracts::scoring::{ScoringModel, input_filter, output_filter};
use contracts::use_case::{Model, UseCase};
use contracts::{Champion, ScoringPlan};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// How long a container may take for one request, and how often it is asked again.
const ANSWER_TIMEOUT_S: u32 = 600;
const ANSWER_RETRIES: u32 = 2;

/// The whole plan; the models that have a champion take part.
pub(crate) fn scoring(
    document: &UseCase,
    settings: &Settings,
    job: &Job<'_>,
    champions: &BTreeMap<String, Champion>,
) -> ScoringPlan {
    let planner = Planner {
        document,
        settings,
        job: *job,
        places: RunPlaces {
            use_case: &document.use_case,
            run_id: job.run_id,
        },
    };
    let models = document.models.iter();
    ScoringPlan {
        stack: settings.stack.clone(),
        use_case: document.use_case.clone(),
        run_id: job.run_id.clone(),
        bucket: settings.bucket.clone(),
        config_version: job.config_version.to_owned(),
        preprocess: planner.prepare(),
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
        Preprocess {
            job_name: names::preprocess_job(&self.settings.stack, &self.document.use_case, self.job.run_id),
            request: json!({
                "AppSpecification": {
                    "ImageUri": self.settings.images.sklearn,
                    "ContainerEntrypoint": ["python3", format!("{PROCESSING}/input/code/prepare_scoring.py")],
                    "ContainerArguments": [
                        "--input", format!("{PROCESSING}/input/data"),
                        "--job", format!("{PROCESSING}/input/code/scoring.json"),
                        "--output", format!("{PROCESSING}/output"),
                    ],
                },
                "ProcessingInputs": [
                    self.input("code", &self.places.code()),
                    self.input("data", &self.places.input()),
                ],
                "ProcessingOutputConfig": {"Outputs": outputs},
                "ProcessingResources": self.processing_resources(),
                "StoppingCondition": self.processing_stop(),
                "Tags": self.tags(None),
            }),
        }
    }

    fn score(&self, model: &Model, champion: &Champion) -> ScoringModel {
        let (stack, use_case) = (&self.settings.stack, &self.document.use_case);
        ScoringModel {
            run: ModelRun {
                bucket: self.settings.bucket.clone(),
                use_case: use_case.clone(),
                model: model.name.clone(),
                run_id: self.job.run_id.clone(),
            },
            job_name: names::model_step(stack, use_case, &model.name, self.job.run_id, Step::Score),
            champion: champion.run_id.clone(),
            model_name: champion.model_name.clone(),
            request: json!({
                "ModelName": champion.model_name,
                "TransformInput": {
                    "DataSource": {
                        "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": self.uri(&self.places.data("rows"))},
                    },
                    "ContentType": "text/csv",
                    "CompressionType": "None",
                    "SplitType": "Line",
                },
                "TransformOutput": {
                    "S3OutputPath": self.folder_uri(&format!("{}{}", self.scores(), model.name)),
                    "Accept": "text/csv",
                    "AssembleWith": "Line",
                },
                "TransformResources": {
                    "InstanceCount": 1,
                    "InstanceType": self.document.preprocessing.instance_type,
                },
                "DataProcessing": {
                    "InputFilter": input_filter(self.document),
                    "JoinSource": "Input",
                    "OutputFilter": output_filter(self.document),
                },
                "BatchStrategy": "MultiRecord",
                // Rows grow inside the pipeline, and containers refuse what is above some 6 MB.
                "MaxPayloadInMB": 1,
                "ModelClientConfig": {
                    "InvocationsTimeoutInSeconds": ANSWER_TIMEOUT_S,
                    "InvocationsMaxRetries": ANSWER_RETRIES,
                },
                "Tags": self.tags(Some(model)),
            }),
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
        Preprocess {
            job_name: names::combine_job(&self.settings.stack, &self.document.use_case, self.job.run_id),
            request: json!({
                "AppSpecification": {
                    "ImageUri": self.settings.images.monitor,
                    "ContainerEntrypoint": ["/drivetrain-combine"],
                    "ContainerArguments": [
                        "--job", format!("{PROCESSING}/input/code/scoring.json"),
                        "--input", format!("{PROCESSING}/input"),
                        "--output", format!("{PROCESSING}/output"),
                    ],
                },
                "ProcessingInputs": inputs,
                "ProcessingOutputConfig": {"Outputs": [
                    self.output("scored", "output/scored", &scored),
                    self.output("capture", "output/capture", &capture),
                ]},
                "ProcessingResources": self.processing_resources(),
                "StoppingCondition": self.processing_stop(),
                "Tags": self.tags(None),
            }),
        }
    }

    /// What the transform jobs answer: a folder a model.
    fn scores(&self) -> String {
        self.places.root() + "scores/"
    }
}
