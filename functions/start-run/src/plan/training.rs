//! The plan of a training run.

use super::planner::{Job, PROCESSING, Planner};
use crate::settings::Settings;
use contracts::champion::Baselines;
use contracts::names::{self, Step};
use contracts::places::HOLDOUT_NEW;
use contracts::plan::{BaselineJobs, EndpointPlan, ModelPlan, ModelRun, Names, Pipeline, Plan, Preprocess};
use contracts::use_case::{Algorithm, Answers, Model, UseCase};
use serde_json::{Map, Value, json};

/// The variant of every endpoint. Its name never changes: scaling and capacity hang on it.
const VARIANT: &str = "AllTraffic";
/// What an endpoint that doesn't scale has in its scaling policy, which is never registered.
const NO_TARGET_INVOCATIONS: f64 = 1000.0;

/// The largest request that XGBoost's container is to take. Rows are counted so that none exceeds 6 MB; this is for rows
/// that somebody else sends.
const XGBOOST_REQUEST_BYTES: u64 = 20 * 1024 * 1024;

/// The whole plan. The document must be sound (see [`UseCase::validate`]).
pub fn plan(document: &UseCase, settings: &Settings, job: &Job<'_>) -> Plan {
    let planner = Planner::new(document, settings, *job);
    Plan {
        stack: settings.stack.clone(),
        use_case: document.use_case.clone(),
        run_id: job.run_id.clone(),
        bucket: settings.bucket.clone(),
        config_version: job.config_version.to_owned(),
        preprocess: Some(planner.preprocess()),
        models: document.models.iter().map(|model| planner.model(model)).collect(),
    }
}

impl Planner<'_> {
    fn preprocess(&self) -> Preprocess {
        let mut outputs: Vec<Value> = ["train", "validation", "holdout", "raw", "summary"]
            .map(|part| self.output(part, &format!("output/{part}"), &self.places.data(part)))
            .into();
        outputs.push(self.output("features", "output/features", &self.places.features()));
        self.script("preprocess.py", ["--config", "use-case.json"], &outputs)
    }

    /// What the analyzer makes of a candidate. Its environment is that of SageMaker Model Monitor's analyzer, and the
    /// image's own entry point reads it.
    pub(super) fn baselines(&self, model: &Model) -> BaselineJobs {
        let job = |of: &str, source: &str, environment: Value| {
            let input = "baseline_dataset_input";
            let mut environment = environment;
            environment["dataset_source"] = format!("{PROCESSING}/input/{input}").into();
            environment["output_path"] = format!("{PROCESSING}/output").into();
            let inputs = [self.input(input, source)];
            let outputs = [self.output("baseline", "output", &self.places.baseline(&model.name, of))];
            let mut request = self.processing(&json!({"ImageUri": self.settings.images.monitor}), &inputs, &outputs);
            request["Environment"] = environment;
            request
        };
        let format = |header: bool| json!({"csv": {"header": header}}).to_string();
        let data = json!({"dataset_format": format(true), "publish_cloudwatch_metrics": "Disabled"});
        // Rows of scores are row id, label, prediction.
        let quality = json!({
            "analysis_type": "MODEL_QUALITY",
            "problem_type": "Regression",
            "dataset_format": format(false),
            "ground_truth_attribute": "1",
            "inference_attribute": "2",
            "publish_cloudwatch_metrics": "Disabled",
        });
        let place = |of: &str| self.uri(&self.places.baseline(&model.name, of));
        BaselineJobs {
            data: job("data", &self.places.data("raw"), data),
            quality: job(
                "quality",
                &format!("{}{HOLDOUT_NEW}", self.places.holdout_scores(&model.name, "candidate")),
                quality,
            ),
            places: Some(Baselines {
                data: place("data"),
                quality: place("quality"),
            }),
            made: false,
        }
    }

    pub(super) fn model(&self, model: &Model) -> ModelPlan {
        let (stack, use_case) = (&self.settings.stack, &self.document.use_case);
        let name = |step| names::model_step(stack, use_case, &model.name, self.job.run_id, step);
        ModelPlan {
            run: self.run_of(model),
            config_version: self.job.config_version.to_owned(),
            onboarding: self.job.onboarding.unwrap_or_default().to_owned(),
            names: Names {
                training_job: name(Step::Train),
                model: name(Step::Model),
                candidate_scores: name(Step::Candidate),
                champion_scores: name(Step::Champion),
                data_baseline: name(Step::DataBaseline),
                quality_baseline: name(Step::QualityBaseline),
                endpoint_config: name(Step::Config),
            },
            columns: self.document.columns(),
            schema_hash: self.document.schema_hash(),
            image: self.settings.images.of(model),
            metric: model.metric.clone(),
            threshold_rmse: model.threshold_rmse,
            gate: self.document.gate.clone(),
            started_by_drift: self.job.started_by_drift,
            training: self.training(model),
            pipeline: self.pipeline(model),
            holdout: self.holdout(model),
            candidate_scores_uri: self.uri(&self.places.holdout_scores(&model.name, "candidate")),
            champion_scores_uri: self.uri(&self.places.holdout_scores(&model.name, "champion")),
            baselines: self.baselines(model),
            endpoint: self.endpoint(model),
            promotion: None,
            made: None,
            trained_by: self.job.run_id.clone(),
            tags: self.tags(Some(model)),
        }
    }

    pub(super) fn run_of(&self, model: &Model) -> ModelRun {
        ModelRun {
            bucket: self.settings.bucket.clone(),
            use_case: self.document.use_case.clone(),
            model: model.name.clone(),
            run_id: self.job.run_id.clone(),
        }
    }

    fn training(&self, model: &Model) -> Value {
        let mut algorithm = json!({"TrainingImage": self.settings.images.of(model), "TrainingInputMode": "File"});
        if !model.metric_definitions.is_empty() {
            algorithm["MetricDefinitions"] = model
                .metric_definitions
                .iter()
                .map(|it| json!({"Name": it.name, "Regex": it.regex}))
                .collect();
        }
        let channel = |name: &str| {
            json!({
                "ChannelName": name,
                "ContentType": "text/csv",
                "CompressionType": "None",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": self.uri(&self.places.data(name)),
                        "S3DataDistributionType": "FullyReplicated",
                    },
                },
            })
        };
        let hyperparameters: Map<String, Value> = model
            .hyperparameters
            .iter()
            .map(|(name, value)| (name.clone(), value.to_string().into()))
            .collect();
        json!({
            "AlgorithmSpecification": algorithm,
            "HyperParameters": hyperparameters,
            "InputDataConfig": [channel("train"), channel("validation")],
            "OutputDataConfig": {"S3OutputPath": self.folder_uri(&self.places.models(&model.name))},
            "ResourceConfig": {
                "InstanceCount": 1,
                "InstanceType": model.training.instance_type,
                "VolumeSizeInGB": model.training.volume_gb,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": model.training.max_runtime_s},
        })
    }

    fn pipeline(&self, model: &Model) -> Pipeline {
        let sklearn = |archive: &str| {
            json!({
                "Image": self.settings.images.sklearn,
                "ModelDataUrl": self.uri(&(self.places.features() + archive)),
                "Environment": {
                    "SAGEMAKER_PROGRAM": "inference.py",
                    "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
                    "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv",
                },
            })
        };
        let answers = model.answers();
        // Containers of a pipeline are not told what to answer; this is what they are asked for.
        let mut environment = Map::from_iter([(
            "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT".to_owned(),
            match answers {
                Answers::Csv => "text/csv".into(),
                Answers::Json => "application/json".into(),
            },
        )]);
        if model.algorithm == Some(Algorithm::Xgboost) {
            environment.insert(
                "MAX_CONTENT_LENGTH".to_owned(),
                XGBOOST_REQUEST_BYTES.to_string().into(),
            );
        }
        environment.extend(
            model
                .environment
                .iter()
                .map(|(name, value)| (name.clone(), value.clone().into())),
        );
        // So that an answer can be told from that of the model before it: the endpoint is the same.
        let mut transformer = sklearn("transformer.tar.gz");
        transformer["Environment"]["DRIVETRAIN_RUN"] = self.job.run_id.to_string().into();
        Pipeline {
            transformer,
            algorithm: json!({"Image": self.settings.images.of(model), "Environment": environment}),
            normalise: answers == Answers::Json,
            normaliser: sklearn("normaliser.tar.gz"),
        }
    }

    /// Rows of the holdout are row id, label, raw columns: the pipeline gets the raw columns, and of what it is
    /// joined with, row id, label and prediction are kept.
    /// The gate lays out which holdouts are to be scored.
    fn holdout(&self, model: &Model) -> Value {
        let prediction = 2 + self.document.schema.columns.len();
        self.transform(
            &self.places.judged(&model.name),
            "$[2:]",
            &format!("$[0,1,{prediction}]"),
        )
    }

    fn endpoint(&self, model: &Model) -> EndpointPlan {
        let endpoint = &model.endpoint;
        let name = names::endpoint(
            &self.settings.stack,
            &self.document.use_case,
            &model.name,
            &self.document.schema_hash(),
        );
        let scaling = endpoint.scaling.as_ref();
        EndpointPlan {
            variant_name: VARIANT.to_owned(),
            instance_type: endpoint.instance_type.clone(),
            instance_count: endpoint.instance_count,
            capture_uri: self.folder_uri(&format!("{}/capture/", self.document.use_case)),
            sampling_percent: self.document.capture.sampling_percent,
            poll_seconds: self.settings.endpoint_poll_seconds,
            scales: scaling.is_some(),
            scaling_resource_id: format!("endpoint/{name}/variant/{VARIANT}"),
            min_instances: scaling.map_or(endpoint.instance_count, |it| it.min_instances),
            max_instances: scaling.map_or(endpoint.instance_count, |it| it.max_instances),
            scaling_policy: json!({
                "TargetValue": scaling.map_or(NO_TARGET_INVOCATIONS, |it| it.invocations_per_instance),
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance",
                },
                "ScaleInCooldown": scaling.map_or(300, |it| it.scale_in_cooldown_s),
                "ScaleOutCooldown": scaling.map_or(60, |it| it.scale_out_cooldown_s),
            }),
            name,
        }
    }
}

#[cfg(test)]
mod tests;
