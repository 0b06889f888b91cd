//! CreateTransformJob's request: the members that are implemented, and the plan for the execution. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::capture::BatchCapture;
use super::filter::Filter;
use super::join::Joining;
use super::records::{Batching, Format};
use crate::error::ApiError;
use crate::request::parse;
use crate::s3::S3Uri;

const DEFAULT_MAX_PAYLOAD_MB: usize = 6;

/// A request, in terms of its execution.
#[derive(Debug, Clone)]
pub struct Plan {
    pub name: String,
    pub input: S3Uri,
    pub gzip: bool,
    pub content_type: Option<String>,
    pub output: S3Uri,
    pub accept: Option<String>,
    pub end_lines: bool,
    pub batching: Batching,
    /// None if answers are written as they are.
    pub joining: Option<Joining>,
    pub capture: Option<BatchCapture>,
    pub concurrency: usize,
    pub max_retries: u32,
    pub timeout: Duration,
    pub environment: BTreeMap<String, String>,
}

/// Reads a request and plans its execution; also returns the name of the model.
///
/// # Errors
/// `ValidationException` for members that contradict each other or are not implemented.
pub fn read(request: &Value) -> Result<(String, Plan), ApiError> {
    let request: CreateRequest = parse(request, WITHOUT_EFFECT)?;
    Ok((request.model_name.clone(), plan(request)?))
}

fn plan(request: CreateRequest) -> Result<Plan, ApiError> {
    if request.transform_resources.instance_count != 1 {
        return Err(ApiError::not_done("`TransformResources.InstanceCount` other than 1"));
    }
    let address = |text: &str| {
        S3Uri::parse(text)
            .ok_or_else(|| ApiError::not_done(&format!("the address {text}, which is not of the form s3://bucket/key")))
    };
    let filter = |text: &str, member: &str| {
        Filter::parse(text).map_err(|error| ApiError::validation(format!("{member}: {error}")))
    };
    let capture = request.data_capture_config.as_ref().map(|config| {
        Ok::<_, ApiError>(BatchCapture {
            destination: address(&config.destination_s3_uri)?,
            generate_ids: config.generate_inference_id,
        })
    });
    let capture = capture.transpose()?;
    let processing = &request.data_processing;
    let input_filter = filter(&processing.input_filter, "InputFilter")?;
    let output_filter = filter(&processing.output_filter, "OutputFilter")?;
    let join_input = processing.join_source == JoinSource::Input;
    let joins = join_input || !output_filter.is_root() || capture.as_ref().is_some_and(|capture| capture.generate_ids);
    let input = request.transform_input;
    let output = request.transform_output;
    let format = input.content_type.as_deref().and_then(Format::of);

    let joining = match format {
        _ if !joins && input_filter.is_root() => None,
        None => {
            return Err(ApiError::validation(
                "DataProcessing needs a TransformInput.ContentType of text/csv, application/json or \
                 application/jsonlines.",
            ));
        }
        Some(Format::Csv) if !(input_filter.selects_columns() && output_filter.selects_columns()) => {
            return Err(ApiError::validation(
                "InputFilter and OutputFilter of CSV data select columns by number: $[0], $[0,2], $[1:], $[:-1].",
            ));
        }
        Some(format) => joins.then_some(Joining {
            join_input,
            output_filter,
            format,
        }),
    };
    if let (Some(joining), Some(accept)) = (&joining, &output.accept)
        && Format::of(accept).is_none_or(|accepted| !accepted.joins_with(joining.format))
    {
        return Err(ApiError::validation(format!(
            "DataProcessing needs input and output of one format: ContentType is {}, Accept is {accept}.",
            input.content_type.unwrap_or_default(),
        )));
    }

    let max_payload_mb = request.max_payload_mb.unwrap_or(DEFAULT_MAX_PAYLOAD_MB);
    let concurrency = request
        .max_concurrent_transforms
        .filter(|count| *count > 0)
        .unwrap_or(1);
    let multi_record = request.batch_strategy == BatchStrategy::MultiRecord;
    let mut environment = BTreeMap::from([
        ("SAGEMAKER_BATCH".to_owned(), "true".to_owned()),
        ("SAGEMAKER_MAX_PAYLOAD_IN_MB".to_owned(), max_payload_mb.to_string()),
        (
            "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS".to_owned(),
            concurrency.to_string(),
        ),
        (
            "SAGEMAKER_BATCH_STRATEGY".to_owned(),
            if multi_record { "MULTI_RECORD" } else { "SINGLE_RECORD" }.to_owned(),
        ),
    ]);
    environment.extend(request.environment);
    Ok(Plan {
        name: request.transform_job_name,
        input: address(&input.data_source.s3_data_source.s3_uri)?,
        gzip: input.compression_type == CompressionType::Gzip,
        content_type: input.content_type,
        output: address(&output.s3_output_path)?,
        accept: output.accept,
        end_lines: output.assemble_with == AssembleWith::Line,
        batching: Batching {
            split_lines: input.split_type == SplitType::Line,
            multi_record,
            max_payload_bytes: (max_payload_mb > 0).then_some(max_payload_mb * 1024 * 1024),
            looks_into_records: joins || !input_filter.is_root(),
            input_filter,
            format,
        },
        joining,
        capture,
        concurrency,
        max_retries: request.model_client_config.max_retries.unwrap_or(3),
        timeout: Duration::from_secs(request.model_client_config.timeout_s.unwrap_or(600)),
        environment,
    })
}

/// The members of CreateTransformJob that are implemented here.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct CreateRequest {
    transform_job_name: String,
    model_name: String,
    max_concurrent_transforms: Option<usize>,
    #[serde(default)]
    model_client_config: ModelClientConfig,
    #[serde(rename = "MaxPayloadInMB")]
    max_payload_mb: Option<usize>,
    #[serde(default)]
    batch_strategy: BatchStrategy,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    transform_input: TransformInput,
    transform_output: TransformOutput,
    data_capture_config: Option<BatchDataCaptureConfig>,
    transform_resources: TransformResources,
    #[serde(default)]
    data_processing: DataProcessing,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ModelClientConfig {
    #[serde(rename = "InvocationsTimeoutInSeconds")]
    timeout_s: Option<u64>,
    #[serde(rename = "InvocationsMaxRetries")]
    max_retries: Option<u32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
enum BatchStrategy {
    #[default]
    MultiRecord,
    SingleRecord,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TransformInput {
    data_source: DataSource,
    content_type: Option<String>,
    #[serde(default)]
    compression_type: CompressionType,
    #[serde(default)]
    split_type: SplitType,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DataSource {
    s3_data_source: S3DataSource,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct S3DataSource {
    #[serde(rename = "S3DataType")]
    _data_type: OnlyS3Prefix,
    s3_uri: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum OnlyS3Prefix {
    S3Prefix,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
enum CompressionType {
    #[default]
    None,
    Gzip,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
enum SplitType {
    #[default]
    None,
    Line,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TransformOutput {
    s3_output_path: String,
    accept: Option<String>,
    #[serde(default)]
    assemble_with: AssembleWith,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
enum AssembleWith {
    #[default]
    None,
    Line,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct BatchDataCaptureConfig {
    destination_s3_uri: String,
    #[serde(default)]
    generate_inference_id: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TransformResources {
    instance_count: u32,
    #[serde(rename = "InstanceType")]
    _instance_type: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DataProcessing {
    #[serde(default)]
    input_filter: String,
    #[serde(default)]
    output_filter: String,
    #[serde(default)]
    join_source: JoinSource,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
enum JoinSource {
    #[default]
    None,
    Input,
}

const WITHOUT_EFFECT: &[&str] = &[
    "Tags",
    "ExperimentConfig",
    "TransformOutput.KmsKeyId",
    "TransformResources.VolumeKmsKeyId",
    "TransformResources.TransformAmiVersion",
    "DataCaptureConfig.KmsKeyId",
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn planned(changes: &Value) -> Result<Plan, ApiError> {
        let mut request = json!({
            "TransformJobName": "job",
            "ModelName": "model",
            "TransformInput": {
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/in/"}},
                "ContentType": "text/csv",
                "SplitType": "Line",
            },
            "TransformOutput": {"S3OutputPath": "s3://b/out", "AssembleWith": "Line"},
            "TransformResources": {"InstanceCount": 1, "InstanceType": "ml.m5.large"},
        });
        for (member, value) in changes.as_object().unwrap() {
            request[member] = value.clone();
        }
        read(&request).map(|(_, plan)| plan)
    }

    #[test]
    fn defaults_are_those_of_aws() {
        let plan = planned(&json!({})).unwrap();
        assert_eq!(plan.batching.max_payload_bytes, Some(6 * 1024 * 1024));
        assert!(plan.batching.multi_record && plan.joining.is_none());
        assert_eq!(
            (plan.concurrency, plan.max_retries, plan.timeout.as_secs()),
            (1, 3, 600)
        );
        assert_eq!(
            planned(&json!({"MaxPayloadInMB": 0}))
                .unwrap()
                .batching
                .max_payload_bytes,
            None
        );
    }

    #[test]
    fn contradictions_are_refused() {
        let refused = |changes: Value| planned(&changes).unwrap_err().message;
        let text = refused(json!({"DataProcessing": {"InputFilter": "$.id"}}));
        assert!(text.contains("select columns by number"), "{text}");
        let text = refused(json!({"DataProcessing": {"OutputFilter": "$..id"}}));
        assert!(text.starts_with("OutputFilter: "), "{text}");
        let text = refused(json!({
            "DataProcessing": {"JoinSource": "Input"},
            "TransformOutput": {"S3OutputPath": "s3://b/out", "Accept": "application/json"},
        }));
        assert!(text.contains("one format"), "{text}");
        let mut input = json!({"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/in"}}});
        let text = refused(json!({"TransformInput": input.clone(), "DataProcessing": {"JoinSource": "Input"}}));
        assert!(text.contains("needs a TransformInput.ContentType"), "{text}");
        input["SplitType"] = json!("RecordIO");
        assert!(refused(json!({"TransformInput": input})).contains("`TransformInput.SplitType`"));
    }
}
