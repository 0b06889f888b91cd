//! The requests of processing and batch transform jobs, in all that the plans' jobs have in common.

use super::{PROCESSING, Planner};
use contracts::names;
use contracts::plan::Preprocess;
use contracts::use_case::Compute;
use serde_json::{Value, json};

impl Planner<'_> {
    /// The run's first job: a script of the run's, which reads the run's data by one of its documents, named by an
    /// option.
    pub(super) fn script(&self, name: &str, [option, document]: [&str; 2], outputs: &[Value]) -> Preprocess {
        let program = json!({
            "ImageUri": self.settings.images.sklearn,
            "ContainerEntrypoint": ["python3", format!("{PROCESSING}/input/code/{name}")],
            "ContainerArguments": [
                "--input", format!("{PROCESSING}/input/data"),
                option, format!("{PROCESSING}/input/code/{document}"),
                "--output", format!("{PROCESSING}/output"),
            ],
        });
        let inputs = [
            self.input("code", &self.places.code()),
            self.input("data", &self.places.input()),
        ];
        let job_name = names::preprocess_job(&self.settings.stack, &self.document.use_case, self.job.run_id);
        self.run_job(job_name, &program, &inputs, outputs)
    }

    /// A processing job of the whole run.
    pub(super) fn run_job(&self, job_name: String, program: &Value, inputs: &[Value], outputs: &[Value]) -> Preprocess {
        let mut request = self.processing(program, inputs, outputs);
        request["Tags"] = self.tags(None);
        Preprocess { job_name, request }
    }

    /// What CreateProcessingJob is to be asked for but name, role, network and tags.
    pub(super) fn processing(&self, program: &Value, inputs: &[Value], outputs: &[Value]) -> Value {
        json!({
            "AppSpecification": program,
            "ProcessingInputs": inputs,
            "ProcessingOutputConfig": {"Outputs": outputs},
            "ProcessingResources": self.processing_resources(),
            "StoppingCondition": self.processing_stop(),
        })
    }

    /// An input of a processing job: a folder of the bucket.
    pub(super) fn input(&self, name: &str, key: &str) -> Value {
        json!({
            "InputName": name,
            "S3Input": {
                "S3Uri": self.uri(key),
                "LocalPath": format!("{PROCESSING}/input/{name}"),
                "S3DataType": "S3Prefix",
                "S3InputMode": "File",
                "S3DataDistributionType": "FullyReplicated",
            },
        })
    }

    /// An output of a processing job, from `path` below its `/opt/ml/processing`.
    pub(super) fn output(&self, name: &str, path: &str, key: &str) -> Value {
        json!({
            "OutputName": name,
            "S3Output": {
                "S3Uri": self.folder_uri(key),
                "LocalPath": format!("{PROCESSING}/{path}"),
                "S3UploadMode": "EndOfJob",
            },
        })
    }

    /// The machine of every processing job.
    pub(super) fn processing_resources(&self) -> Value {
        let Compute {
            instance_type,
            volume_gb,
            ..
        } = &self.document.preprocessing;
        json!({
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": instance_type,
                "VolumeSizeInGB": volume_gb,
            },
        })
    }

    pub(super) fn processing_stop(&self) -> Value {
        json!({"MaxRuntimeInSeconds": self.document.preprocessing.max_runtime_s})
    }

    /// What CreateTransformJob is to be asked for but names, output and tags: rows of a folder of the run, each answered
    /// with what the filters leave of it.
    pub(super) fn transform(&self, key: &str, input_filter: &str, output_filter: &str) -> Value {
        json!({
            "TransformInput": {
                "DataSource": {
                    "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": self.uri(key)},
                },
                "ContentType": "text/csv",
                "CompressionType": "None",
                "SplitType": "Line",
            },
            "TransformResources": {
                "InstanceCount": 1,
                "InstanceType": self.document.preprocessing.instance_type,
            },
            "DataProcessing": {
                "InputFilter": input_filter,
                "JoinSource": "Input",
                "OutputFilter": output_filter,
            },
            "BatchStrategy": "MultiRecord",
            // Rows grow inside the pipeline, and containers refuse what is above some 6 MB.
            "MaxPayloadInMB": 1,
        })
    }
}
