//! The analyzer's job, done by the analyzer's own library.

use monitor::analysis::{self, Baseline, Known, KnownQuality, Rules};
use monitor::quality::ProblemType;
use monitor::quality::pair::{Attributes, Parameters};
use monitor::read::{self, Format, Options, Source};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Runs the analysis that the job's environment describes; `folder` stands for `/opt/ml/processing`.
pub fn run(environment: &Value, folder: &Path) -> Result<(), String> {
    let text = |name: &str| environment[name].as_str();
    let place =
        |name: &str| -> Option<PathBuf> { Some(folder.join(text(name)?.trim_start_matches("/opt/ml/processing/"))) };
    let needed = |name: &str| place(name).ok_or_else(|| format!("the environment variable {name} is missing"));
    let output = needed("output_path")?;
    let source = Source {
        path: needed("dataset_source")?,
        format: Format::Csv {
            header: text("dataset_format").is_some_and(|it| it.contains("\"header\":true")),
            delimiter: b',',
        },
    };
    let mut rules = Rules::default();
    if let Some(rows) = text("minimum_rows") {
        rules.settings.minimum_rows = rows.parse().map_err(|_| "minimum_rows is no number")?;
    }
    let constraints = place("baseline_constraints");
    let done = match text("analysis_type") {
        None => data(&source, constraints.as_deref(), place, &rules, &output),
        Some("MODEL_QUALITY") => {
            let attributes = Parameters {
                inference: text("inference_attribute"),
                ground_truth: text("ground_truth_attribute"),
                ..Parameters::default()
            };
            quality(&source, constraints.as_deref(), &attributes, &rules, &output)
        }
        Some(other) => return Err(format!("the simulation has no analysis {other}")),
    };
    done.map_err(|error| error.to_string())
}

fn data(
    source: &Source,
    constraints: Option<&Path>,
    place: impl Fn(&str) -> Option<PathBuf>,
    rules: &Rules,
    output: &Path,
) -> Result<(), analysis::Error> {
    let Some(constraints) = constraints else {
        let baseline = Baseline::of_profile(read::profile(source, &options())?);
        return baseline.write(output, false);
    };
    let mut known = Known::read(constraints, place("baseline_statistics").as_deref())?;
    if let Some(path) = place("prediction_baseline_statistics") {
        known.predictions = Some(analysis::read_statistics(&path)?);
    }
    let options = Options {
        names: Some(known.names()),
        expected: known.expected(),
        ..options()
    };
    let profile = read::profile(source, &options)?;
    analysis::check(&known, profile, rules).write(output, false)
}

fn quality(
    source: &Source,
    constraints: Option<&Path>,
    parameters: &Parameters<'_>,
    rules: &Rules,
    output: &Path,
) -> Result<(), analysis::Error> {
    let problem = ProblemType::Regression;
    let attributes = Attributes::parse(problem, parameters);
    let attributes = attributes.map_err(|error| analysis::Error::Unusable(error.to_string()))?;
    let found = analysis::quality(source, problem, &attributes, None)?;
    let Some(constraints) = constraints else {
        return found.write_baseline(output);
    };
    let known = KnownQuality::read(constraints, problem)?;
    let (violations, drift) = found.check(&known, rules);
    found.write_checked(output, &violations, &drift)
}

/// A single thread: rows of the matrix already run in parallel.
fn options() -> Options<'static> {
    Options {
        threads: std::num::NonZero::new(1),
        ..Options::default()
    }
}
