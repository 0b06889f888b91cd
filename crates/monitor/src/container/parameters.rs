//! The parameters of a job: from the process environment or, if not set there, from the `Environment` in
//! `processingjobconfig.json`.
//!
//! Parameters of the contract have the contract's names. Those of this project are `segment_attribute`, `minimum_rows`,
//! `false_discovery_rate`, `prediction_baseline_statistics`, `ground_truth_source`, `reference_ranks`, `write_report`
//! and `write_state`.

use super::Base;
use crate::quality::ProblemType;
use crate::read::{Format, OutputPosition};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;

/// The configuration that SageMaker writes for every Processing job.
const JOB_CONFIG: &str = "/opt/ml/config/processingjobconfig.json";

/// The parameters of a job.
#[derive(Clone, Debug)]
pub struct Parameters {
    /// `dataset_source`: a file or a folder.
    pub dataset_source: PathBuf,
    /// `dataset_format`.
    pub format: Format,
    /// `output_path`: a folder.
    pub output_path: PathBuf,
    /// The problem type, if `analysis_type` is `MODEL_QUALITY`; none for data quality.
    pub problem: Option<ProblemType>,
    /// `inference_attribute`.
    pub inference_attribute: Option<String>,
    /// `probability_attribute`.
    pub probability_attribute: Option<String>,
    /// `ground_truth_attribute`.
    pub ground_truth_attribute: Option<String>,
    /// `probability_threshold_attribute`.
    pub probability_threshold_attribute: Option<String>,
    /// `baseline_constraints`; without it, the job makes a baseline.
    pub baseline_constraints: Option<PathBuf>,
    /// `baseline_statistics`.
    pub baseline_statistics: Option<PathBuf>,
    /// `start_time`.
    pub start_time: Option<String>,
    /// `end_time`.
    pub end_time: Option<String>,
    /// `metric_time`.
    pub metric_time: Option<String>,
    /// `publish_cloudwatch_metrics`.
    pub publish_cloudwatch_metrics: bool,
    /// `cloudwatch_metrics_directory`.
    pub cloudwatch_metrics_directory: PathBuf,
    /// `output_message_file`.
    pub output_message_file: PathBuf,
    /// `sagemaker_endpoint_name`.
    pub endpoint_name: Option<String>,
    /// `sagemaker_monitoring_schedule_name`.
    pub schedule_name: Option<String>,
    /// `categorical_drift_method`, for constraints that name none.
    pub categorical_drift_method: Option<String>,
    /// Own parameter: the column whose values form segments.
    pub segment_attribute: Option<String>,
    /// Own parameter: minimum number of rows; fewer are `insufficient-data`.
    pub minimum_rows: Option<u64>,
    /// Own parameter: the accepted share of false alarms.
    pub false_discovery_rate: Option<f64>,
    /// Own parameter: `prediction_statistics.json` of a model-quality baseline.
    pub prediction_baseline_statistics: Option<PathBuf>,
    /// Own parameter: the ground truth that captured data is joined with.
    pub ground_truth_source: Option<PathBuf>,
    /// Own parameter: rank equal numbers as deequ 2.0.2 did.
    pub reference_ranks: bool,
    /// Own parameter: write `report.html`.
    pub write_report: bool,
    /// Own parameter: write `state.zst`.
    pub write_state: bool,
    given: BTreeMap<String, String>,
}

/// Why the parameters can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ParameterError {
    /// A required parameter is not set.
    #[error("the environment variable {0} is not set")]
    Missing(&'static str),
    /// The value of a parameter is not valid.
    #[error("the environment variable {name} is `{value}`, which is not {expected}")]
    Unknown {
        /// Name of the parameter.
        name: &'static str,
        /// Its value.
        value: String,
        /// Description of valid values.
        expected: String,
    },
    /// The job's configuration can't be used.
    #[error("{0}")]
    Config(String),
    /// A Python script was given, which this program can't run.
    #[error(
        "the environment variable {0} names a script, and this analyzer has no Python: prepare the records before the \
         job (or in the endpoint), and unset the variable"
    )]
    Script(&'static str),
}

const KNOWN: [&str; 30] = [
    "dataset_source",
    "dataset_format",
    "output_path",
    "analysis_type",
    "problem_type",
    "inference_attribute",
    "probability_attribute",
    "ground_truth_attribute",
    "probability_threshold_attribute",
    "record_preprocessor_script",
    "post_analytics_processor_script",
    "baseline_constraints",
    "baseline_statistics",
    "start_time",
    "end_time",
    "metric_time",
    "cloudwatch_metrics_directory",
    "publish_cloudwatch_metrics",
    "sagemaker_endpoint_name",
    "sagemaker_monitoring_schedule_name",
    "output_message_file",
    "categorical_drift_method",
    "segment_attribute",
    "minimum_rows",
    "false_discovery_rate",
    "prediction_baseline_statistics",
    "ground_truth_source",
    "reference_ranks",
    "write_report",
    "write_state",
];

impl Parameters {
    /// Reads the parameters from the result of [`given`].
    ///
    /// # Errors
    /// A parameter is missing or invalid.
    pub fn read(given: BTreeMap<String, String>, base: &Base) -> Result<Self, ParameterError> {
        let text = |name: &str| given.get(name).cloned();
        let path = |name: &str| given.get(name).map(|it| base.place(it));
        let needed = |name: &'static str| path(name).ok_or(ParameterError::Missing(name));
        for script in ["record_preprocessor_script", "post_analytics_processor_script"] {
            if given.contains_key(script) {
                return Err(ParameterError::Script(script));
            }
        }
        Ok(Self {
            dataset_source: needed("dataset_source")?,
            format: format(
                given
                    .get("dataset_format")
                    .ok_or(ParameterError::Missing("dataset_format"))?,
            )?,
            output_path: needed("output_path")?,
            problem: problem(&given)?,
            inference_attribute: text("inference_attribute"),
            probability_attribute: text("probability_attribute"),
            ground_truth_attribute: text("ground_truth_attribute"),
            probability_threshold_attribute: text("probability_threshold_attribute"),
            baseline_constraints: path("baseline_constraints"),
            baseline_statistics: path("baseline_statistics"),
            start_time: text("start_time"),
            end_time: text("end_time"),
            metric_time: text("metric_time"),
            publish_cloudwatch_metrics: switch(&given, "publish_cloudwatch_metrics", false)?,
            cloudwatch_metrics_directory: path("cloudwatch_metrics_directory")
                .unwrap_or_else(|| base.place("/opt/ml/output/metrics/cloudwatch")),
            output_message_file: path("output_message_file").unwrap_or_else(|| base.place("/opt/ml/output/message")),
            endpoint_name: text("sagemaker_endpoint_name"),
            schedule_name: text("sagemaker_monitoring_schedule_name"),
            categorical_drift_method: text("categorical_drift_method"),
            segment_attribute: text("segment_attribute"),
            minimum_rows: number(&given, "minimum_rows", "a number of rows")?,
            false_discovery_rate: share(&given, "false_discovery_rate")?,
            prediction_baseline_statistics: path("prediction_baseline_statistics"),
            ground_truth_source: path("ground_truth_source"),
            reference_ranks: switch(&given, "reference_ranks", false)?,
            write_report: switch(&given, "write_report", true)?,
            write_state: switch(&given, "write_state", false)?,
            given,
        })
    }

    /// The known parameters, as the contract's container prints them: those that are not given are null.
    pub fn shown(&self) -> Value {
        KNOWN
            .iter()
            .map(|name| {
                (
                    (*name).to_owned(),
                    self.given.get(*name).map_or(Value::Null, |it| it.clone().into()),
                )
            })
            .collect()
    }
}

/// The process environment together with that of the job's configuration, if there is one.
///
/// # Errors
/// The configuration is invalid.
pub fn given(environment: BTreeMap<String, String>, base: &Base) -> Result<BTreeMap<String, String>, ParameterError> {
    let mut given = job_environment(base)?;
    given.extend(environment);
    // An empty value is how people unset a variable of a job.
    given.retain(|_, value| !value.trim().is_empty());
    Ok(given)
}

fn job_environment(base: &Base) -> Result<BTreeMap<String, String>, ParameterError> {
    let path = base.place(JOB_CONFIG);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        // There is no configuration when the program is run by hand.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(BTreeMap::new());
        }
        Err(error) => {
            let what = format!("{} can't be read: {error}", path.display());
            return Err(ParameterError::Config(what));
        }
    };
    let config: Value = serde_json::from_str(&text)
        .map_err(|error| ParameterError::Config(format!("{} can't be understood: {error}", path.display())))?;
    let variables = config.get("Environment").and_then(Value::as_object);
    Ok(variables
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect())
}

fn problem(given: &BTreeMap<String, String>) -> Result<Option<ProblemType>, ParameterError> {
    let analysis = given.get("analysis_type").map_or("DATA_QUALITY", String::as_str);
    if analysis.eq_ignore_ascii_case("DATA_QUALITY") {
        return Ok(None);
    }
    if !analysis.eq_ignore_ascii_case("MODEL_QUALITY") {
        return Err(unknown("analysis_type", analysis, "DATA_QUALITY or MODEL_QUALITY"));
    }
    let problem = given
        .get("problem_type")
        .ok_or(ParameterError::Missing("problem_type"))?;
    match problem.parse() {
        Ok(problem) => Ok(Some(problem)),
        Err(_) => Err(unknown(
            "problem_type",
            problem,
            "Regression, BinaryClassification or MulticlassClassification",
        )),
    }
}

fn switch(given: &BTreeMap<String, String>, name: &'static str, default: bool) -> Result<bool, ParameterError> {
    match given.get(name).map(|it| it.to_ascii_lowercase()).as_deref() {
        None => Ok(default),
        Some("enabled" | "true") => Ok(true),
        Some("disabled" | "false") => Ok(false),
        Some(other) => Err(unknown(name, other, "Enabled or Disabled")),
    }
}

fn number<T: std::str::FromStr>(
    given: &BTreeMap<String, String>,
    name: &'static str,
    expected: &str,
) -> Result<Option<T>, ParameterError> {
    let value = given.get(name);
    value
        .map(|value| value.trim().parse().map_err(|_| unknown(name, value, expected)))
        .transpose()
}

fn share(given: &BTreeMap<String, String>, name: &'static str) -> Result<Option<f64>, ParameterError> {
    const EXPECTED: &str = "a share between 0 and 1";
    match number::<f64>(given, name, EXPECTED)? {
        Some(share) if !(0.0..=1.0).contains(&share) => Err(unknown(name, &share.to_string(), EXPECTED)),
        share => Ok(share),
    }
}

fn unknown(name: &'static str, value: &str, expected: &str) -> ParameterError {
    ParameterError::Unknown {
        name,
        value: value.to_owned(),
        expected: expected.to_owned(),
    }
}

/// Parses `{"csv": {"header": true}}` in all its spellings; keys may be in any case.
fn format(text: &str) -> Result<Format, ParameterError> {
    const EXPECTED: &str = r#"a format such as {"csv": {"header": true}}, {"json": {"lines": true}}, {"parquet": {}} or {"sagemakerCaptureJson": {"captureIndexNames": ["endpointInput", "endpointOutput"]}}"#;
    let bad = || unknown("dataset_format", text, EXPECTED);
    let value: Value = serde_json::from_str(text).map_err(|_| bad())?;
    // The container's own form contains all kinds, with null for those that don't apply.
    let kinds = value.as_object().ok_or_else(bad)?;
    let mut kinds = kinds.iter().filter(|(_, options)| !options.is_null());
    let (Some((kind, options)), None) = (kinds.next(), kinds.next()) else {
        return Err(bad());
    };
    let option = |name: &str| {
        let options = options.as_object()?;
        options
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    };
    let flag = |name: &str, default: bool| match option(name) {
        None | Some(Value::Null) => Ok(default),
        Some(Value::Bool(value)) => Ok(*value),
        Some(Value::String(value)) => value.to_ascii_lowercase().parse().map_err(|_| bad()),
        Some(_) => Err(bad()),
    };
    let output_position = match option("output_columns_position") {
        None | Some(Value::Null) => OutputPosition::Start,
        Some(Value::String(position)) if position.eq_ignore_ascii_case("START") => OutputPosition::Start,
        Some(Value::String(position)) if position.eq_ignore_ascii_case("END") => OutputPosition::End,
        Some(_) => return Err(bad()),
    };
    match kind.to_ascii_lowercase().as_str() {
        "csv" => Ok(Format::Csv {
            header: flag("header", false)?,
            delimiter: b',',
        }),
        "json" if flag("lines", true)? && flag("line", true)? => Ok(Format::JsonLines),
        "parquet" => Ok(Format::Parquet),
        "sagemakercapturejson" => {
            let index_names = match option("captureIndexNames").filter(|it| !it.is_null()) {
                None => ["endpointInput", "endpointOutput"].map(str::to_owned).into(),
                Some(names) => {
                    let names = names.as_array().filter(|it| !it.is_empty()).ok_or_else(bad)?;
                    let names = names.iter().map(|it| it.as_str().map(str::to_owned));
                    names.collect::<Option<_>>().ok_or_else(bad)?
                }
            };
            Ok(Format::Capture {
                index_names,
                output_position,
                names: None,
            })
        }
        _ => Err(bad()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(pairs: &[(&str, &str)]) -> Result<Parameters, ParameterError> {
        let needed = [
            ("dataset_source", "/opt/ml/processing/input"),
            ("dataset_format", r#"{"csv":{"header":true}}"#),
            ("output_path", "/opt/ml/processing/output"),
        ];
        let all = needed.iter().chain(pairs);
        let environment = all
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let base = Base::new(Some("/tmp/base"));
        Parameters::read(super::given(environment, &base)?, &base)
    }

    fn format_of(text: &str) -> Option<Format> {
        given(&[("dataset_format", text)]).ok().map(|it| it.format)
    }

    #[test]
    fn formats_are_known_in_every_spelling() {
        let csv = |header| {
            Some(Format::Csv {
                header,
                delimiter: b',',
            })
        };
        for (text, expected) in [
            (
                r#"{"csv":{"header":true,"output_columns_position":"START"}}"#,
                csv(true),
            ),
            (r#"{"Csv":{"Header":false}}"#, csv(false)),
            (r#"{"csv":{"header":"true"},"json":null}"#, csv(true)),
            (r#"{"csv":{}}"#, csv(false)),
            (r#"{"json":{"lines":true}}"#, Some(Format::JsonLines)),
            (r#"{"Json":{"Line":true}}"#, Some(Format::JsonLines)),
            (r#"{"json":{"line":false}}"#, None),
            (r#"{"parquet":{}}"#, Some(Format::Parquet)),
            (r#"{"csv":{},"parquet":{}}"#, None),
            (r#"{"xml":{}}"#, None),
            (r#"{"sagemakerCaptureJson":{"captureIndexNames":[]}}"#, None),
            (
                r#"{"sagemakerCaptureJson":{"captureIndexNames":"endpointInput"}}"#,
                None,
            ),
            (r#"{"sagemakerCaptureJson":{"output_columns_position":"MIDDLE"}}"#, None),
            ("csv", None),
        ] {
            assert_eq!(format_of(text), expected, "{text}");
        }
        assert_eq!(
            format_of(r#"{"sagemakerCaptureJson":{"captureIndexNames":["endpointInput"]}}"#),
            Some(Format::Capture {
                index_names: vec!["endpointInput".to_owned()],
                output_position: OutputPosition::Start,
                names: None
            })
        );
    }

    #[test]
    fn paths_lie_under_the_base_folder() {
        let parameters = given(&[("baseline_constraints", "/data/constraints.json")]).unwrap();
        assert_eq!(parameters.dataset_source, PathBuf::from("/tmp/base/processing/input"));
        assert_eq!(
            parameters.output_message_file,
            PathBuf::from("/tmp/base/output/message")
        );
        assert_eq!(
            parameters.baseline_constraints,
            Some(PathBuf::from("/data/constraints.json"))
        );
        assert_eq!(Base::new(None).place("/opt/ml/x"), PathBuf::from("/opt/ml/x"));
    }

    #[test]
    fn what_can_not_be_used_is_named() {
        for (pairs, expected) in [
            (&[("output_path", "")][..], "output_path is not set"),
            (&[("analysis_type", "BIAS")], "analysis_type is `BIAS`"),
            (&[("analysis_type", "MODEL_QUALITY")], "problem_type is not set"),
            (&[("minimum_rows", "many")], "minimum_rows is `many`"),
            (&[("publish_cloudwatch_metrics", "yes")], "not Enabled or Disabled"),
            (&[("record_preprocessor_script", "/opt/ml/code/p.py")], "has no Python"),
        ] {
            let error = given(pairs).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
