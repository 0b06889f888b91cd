//! Execution of a job whose parameters are known.

use super::metrics;
use super::parameters::Parameters;
use crate::analysis::{self, Baseline, Error, Known, KnownQuality, Rules, folder};
use crate::documents::constraints::CategoricalMethod;
use crate::documents::{Constraints, Statistics, violations};
use crate::quality::ProblemType;
use crate::quality::merge::GroundTruthIndex;
use crate::quality::pair::{self, Attributes};
use crate::read::{self, Options, Source};
use drift_document::{Drift, Outcome};
use jiff::Timestamp;
use std::path::Path;

/// Runs the job; returns its final message.
///
/// # Errors
/// The analysis failed, or its result could not be written.
pub fn run(parameters: &Parameters) -> Result<String, Error> {
    match parameters.problem {
        Some(problem) => model_quality(parameters, problem),
        None => data_quality(parameters),
    }
}

fn data_quality(parameters: &Parameters) -> Result<String, Error> {
    let source = Source {
        path: parameters.dataset_source.clone(),
        format: parameters.format.clone(),
    };
    let mut options = Options {
        segment: parameters.segment_attribute.clone(),
        ..Options::default()
    };
    let Some(constraints) = &parameters.baseline_constraints else {
        let baseline = Baseline::of_profile(read::profile(&source, &options)?);
        baseline.write(&parameters.output_path, parameters.write_state)?;
        tell(&baseline.profile);
        if parameters.baseline_statistics.is_some() {
            println!(
                "Warning: baseline_statistics is given without baseline_constraints: a baseline was made, nothing was \
                 checked"
            );
        }
        publish(parameters, &baseline.statistics, &baseline.constraints, None)?;
        return Ok(violations::message(0));
    };
    let mut known = Known::read(constraints, parameters.baseline_statistics.as_deref())?;
    if let Some(path) = &parameters.prediction_baseline_statistics {
        known.predictions = Some(analysis::read_statistics(path)?);
    }
    categorical_method(parameters, &mut known)?;
    let state = parameters
        .baseline_statistics
        .as_ref()
        .and_then(|it| it.parent())
        .map(|it| it.join(folder::STATE));
    if let Some((column, state)) = options.segment.as_ref().zip(state) {
        known.read_segments(&state, column)?;
    }
    known.warnings.iter().for_each(|warning| println!("Warning: {warning}"));
    options.names = Some(known.names());
    options.expected = known.expected();
    let profile = read::profile(&source, &options)?;
    let checked = analysis::check(&known, profile, &rules(parameters));
    checked.write(&parameters.output_path, parameters.write_state)?;
    report(parameters, &checked.drift)?;
    tell(&checked.profile);
    println!("Outcome: {}: {}", checked.drift.outcome.as_str(), checked.drift.reason);
    publish(
        parameters,
        &checked.statistics,
        &known.constraints,
        Some(&checked.drift),
    )?;
    Ok(violations::message(checked.violations.violations.len()))
}

fn model_quality(parameters: &Parameters, problem: ProblemType) -> Result<String, Error> {
    let source = Source {
        path: parameters.dataset_source.clone(),
        format: parameters.format.clone(),
    };
    let attributes = Attributes::parse(
        problem,
        &pair::Parameters {
            inference: parameters.inference_attribute.as_deref(),
            probability: parameters.probability_attribute.as_deref(),
            threshold: parameters.probability_threshold_attribute.as_deref(),
            ground_truth: parameters.ground_truth_attribute.as_deref(),
        },
    )
    .map_err(|error| Error::Unusable(error.to_string()))?;
    let truth = parameters
        .ground_truth_source
        .as_deref()
        .map(ground_truth)
        .transpose()?;
    let mut found = analysis::quality(&source, problem, &attributes, truth.as_ref())?;
    for skipped in found.skipped() {
        println!(
            "Warning: {} x {}; the first: {}",
            skipped.rows, skipped.reason, skipped.first
        );
    }
    found.statistics.start_time.clone_from(&parameters.start_time);
    found.statistics.end_time.clone_from(&parameters.end_time);
    found.statistics.evaluation_time = Some(now(parameters));
    let Some(constraints) = &parameters.baseline_constraints else {
        found.write_baseline(&parameters.output_path)?;
        metrics::publish(
            parameters,
            &metrics::of_quality(parameters, found.metrics()),
            &now(parameters),
        )?;
        return Ok(violations::message(0));
    };
    let mut known = KnownQuality::read(constraints, problem)?;
    if let Some(path) = &parameters.prediction_baseline_statistics {
        known.predictions = Some(analysis::read_statistics(path)?);
    }
    let (violated, drift) = found.check(&known, &rules(parameters));
    found.write_checked(&parameters.output_path, &violated, &drift)?;
    report(parameters, &drift)?;
    println!("Outcome: {}: {}", drift.outcome.as_str(), drift.reason);
    metrics::publish(
        parameters,
        &metrics::of_quality(parameters, found.metrics()),
        &now(parameters),
    )?;
    Ok(violations::message(violated.violations.len()))
}

/// Reads a file or a folder of ground truth.
///
/// # Errors
/// A file can't be read.
fn ground_truth(path: &Path) -> Result<GroundTruthIndex, Error> {
    let mut index = GroundTruthIndex::default();
    for file in read::files(path)? {
        let text = read::bytes(&file)?;
        index.read(&file.display().to_string(), &text);
    }
    Ok(index)
}

/// The rules for judging a check.
pub fn rules(parameters: &Parameters) -> Rules {
    let mut rules = Rules::default();
    if let Some(rows) = parameters.minimum_rows {
        rules.settings.minimum_rows = rows;
    }
    if let Some(rate) = parameters.false_discovery_rate {
        rules.settings.false_discovery_rate = rate;
    }
    rules.switches.reference_ranks = parameters.reference_ranks;
    rules
}

/// Applies the parameter to constraints that name no method of their own.
fn categorical_method(parameters: &Parameters, known: &mut Known) -> Result<(), Error> {
    let Some(text) = &parameters.categorical_drift_method else {
        return Ok(());
    };
    let method = match text.to_ascii_lowercase().as_str() {
        "linfinity" => CategoricalMethod::LInfinity,
        "chisquared" => CategoricalMethod::ChiSquared,
        _ => {
            return Err(Error::Unusable(format!(
                "the environment variable categorical_drift_method is `{text}`, which is not LInfinity or ChiSquared"
            )));
        }
    };
    known
        .constraints
        .monitoring
        .distribution
        .categorical_method
        .get_or_insert(method);
    Ok(())
}

fn report(parameters: &Parameters, drift: &Drift) -> Result<(), Error> {
    if !parameters.write_report {
        return Ok(());
    }
    let about = ::report::About {
        title: parameters.schedule_name.clone().unwrap_or_else(|| "Drift".to_owned()),
        subtitle: parameters.endpoint_name.clone().unwrap_or_default(),
        generated_at: Timestamp::now(),
        links: Vec::new(),
    };
    let html = ::report::drift::html(drift, &about).map_err(|error| Error::Unusable(error.to_string()))?;
    folder::write(&parameters.output_path, folder::REPORT, html.as_bytes())
}

fn publish(
    parameters: &Parameters,
    statistics: &Statistics,
    constraints: &Constraints,
    drift: Option<&Drift>,
) -> Result<(), Error> {
    let metrics = metrics::of_data(parameters, statistics, constraints, drift);
    metrics::publish(parameters, &metrics, &now(parameters))
}

fn tell(profile: &crate::profile::Profile) {
    println!("Rows: {}", profile.rows);
    for (oddity, count, first) in profile.notes.iter() {
        println!("Warning: {count} x {}; the first: {first}", oddity.as_str());
    }
}

/// The time to use for metrics.
fn now(parameters: &Parameters) -> String {
    let given = parameters.metric_time.as_ref().or(parameters.end_time.as_ref());
    given
        .cloned()
        .unwrap_or_else(|| Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// Writes a `drift.json` that reports the failure, because a failed analysis must not look like one that found nothing.
pub fn record_failure(output: &Path, rules: &Rules, reason: &str) {
    let drift = analysis::failed(reason, rules);
    debug_assert_eq!(drift.outcome, Outcome::Error);
    if let Err(error) = analysis::write_drift(output, &drift) {
        eprintln!("{error}");
    }
}
