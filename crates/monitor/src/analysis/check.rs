//! Check of data against a baseline.

use super::Rules;
use super::baseline::write_state;
use super::data::Data;
use super::error::Error;
use super::folder;
use super::known::Known;
use crate::documents::statistics::Feature;
use crate::documents::{Constraints, Statistics, Violations};
use crate::profile::{ColumnFacts, Notes, Profile};
use crate::{checks, drift};
use drift_document::{Drift, Outcome, Samples, Skipped, SkippedKind, Status, words};
use std::collections::{BTreeMap, HashSet};
use std::path::Path;

/// The result of a check.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The profile of the data.
    pub profile: Profile,
    /// The statistics of the data.
    pub statistics: Statistics,
    /// Constraints suggested from the data, which the contract's analyzer writes as well.
    pub constraints: Constraints,
    /// Violations of the baseline's constraints.
    pub violations: Violations,
    /// The judgement on drift.
    pub drift: Drift,
}

/// Checks data against a baseline.
pub fn check(known: &Known, data: impl Into<Data>, rules: &Rules) -> Checked {
    let Data {
        profile,
        facts,
        segment_facts,
        ..
    } = data.into();
    let all = profile.statistics();
    let answers = predictions(known, &all);
    let (predicted, given): (Vec<Feature>, Vec<Feature>) =
        all.features.iter().cloned().partition(|it| answers.contains(&it.name));
    // The contract has no predictions: its documents contain the features only.
    let statistics = Statistics {
        rows: all.rows,
        features: given,
    };
    let violations = checks::evaluate(
        known.statistics.as_ref(),
        &known.constraints,
        &statistics,
        &facts,
        &rules.switches,
    );
    let (baseline, constraints) = with_predictions(known, &predicted);
    let (skipped, odd) = oddities(&profile.notes);
    let mut drift = drift::judge(drift::Input {
        baseline: &baseline,
        constraints: &constraints,
        current: &all,
        facts: &facts,
        predictions: &answers,
        skipped,
        segments: segments(known, &profile, &segment_facts),
        violations: violations.violations.clone(),
        quality: None,
        ground_truth: None,
        settings: rules.settings.clone(),
    });
    drift.samples.odd = odd;
    if known.statistics.is_none() && predicted.is_empty() {
        only_constraints(&mut drift);
    }
    Checked {
        constraints: checks::suggest(&statistics),
        statistics,
        violations,
        drift,
        profile,
    }
}

/// Without the earlier distributions drift can't be determined, and that is not `clean`.
fn only_constraints(drift: &mut Drift) {
    drift.features.retain(|it| it.status != Status::ExtraColumn);
    drift.reason = format!(
        "the baseline has no statistics to compare with: only the constraints were checked, with {}",
        words::counted(drift.violations.len() as u64, "violation", "violations"),
    );
}

/// The output columns of the model: those in the baseline of predictions but not in that of the features.
fn predictions(known: &Known, current: &Statistics) -> Vec<String> {
    let features: HashSet<&str> = known.constraints.features.iter().map(|it| it.name.as_str()).collect();
    let predicted: HashSet<&str> = known
        .predictions
        .iter()
        .flat_map(|it| &it.features)
        .map(|it| it.name.as_str())
        .collect();
    let names = current.features.iter().map(|it| it.name.as_str());
    names
        .filter(|name| predicted.contains(name) && !features.contains(name))
        .map(str::to_owned)
        .collect()
}

fn with_predictions(known: &Known, predicted: &[Feature]) -> (Statistics, Constraints) {
    let mut baseline = known.statistics.clone().unwrap_or_default();
    let mut constraints = known.constraints.clone();
    if let Some(before) = known.predictions.as_ref().filter(|_| !predicted.is_empty()) {
        constraints.features.extend(checks::suggest(before).features);
        baseline.features.extend(before.features.iter().cloned());
        if known.statistics.is_none() {
            baseline.rows = before.rows;
        }
    }
    (baseline, constraints)
}

fn segments(known: &Known, profile: &Profile, facts: &BTreeMap<String, Vec<ColumnFacts>>) -> Vec<drift::Segment> {
    let before = known.profile.as_ref().and_then(|it| it.segments.as_ref());
    let current = profile.segments.iter();
    current
        .flat_map(|segments| segments.profiles.iter().map(move |it| (segments, it)))
        .map(|(segments, (value, now))| drift::Segment {
            column: segments.column.clone(),
            value: value.clone(),
            baseline: before
                .filter(|it| it.column == segments.column)
                .and_then(|it| it.profiles.get(value))
                .map(Profile::statistics),
            current: now.statistics(),
            facts: facts.get(value).cloned().unwrap_or_default(),
        })
        .collect()
}

/// Rows that were left out, and irregular rows that were not.
pub(super) fn oddities(notes: &Notes) -> (Vec<Skipped>, Vec<Skipped>) {
    let noted = |skips: bool| {
        let chosen = notes.iter().filter(move |(oddity, ..)| oddity.skips() == skips);
        chosen
            .map(|(oddity, rows, first)| Skipped {
                reason: oddity.as_str().to_owned(),
                kind: SkippedKind::Record,
                rows,
                first: first.to_owned(),
            })
            .collect()
    };
    (noted(true), noted(false))
}

impl Checked {
    /// Writes all documents except the report: see [`folder`]. Writes `state.zst` only if requested.
    ///
    /// # Errors
    /// A file can't be written.
    pub fn write(&self, target: &Path, state: bool) -> Result<(), Error> {
        folder::write(target, folder::STATISTICS, self.statistics.to_text().as_bytes())?;
        folder::write(target, folder::CONSTRAINTS, self.constraints.to_text().as_bytes())?;
        folder::write(target, folder::VIOLATIONS, self.violations.to_text().as_bytes())?;
        if state {
            write_state(&self.profile, target)?;
        }
        // Written last, so that a reader who finds it also finds the others.
        folder::write_drift(target, &self.drift)
    }
}

/// The `drift.json` of an analysis that failed.
pub fn failed(reason: &str, rules: &Rules) -> Drift {
    Drift {
        format: 1,
        outcome: Outcome::Error,
        reason: reason.to_owned(),
        samples: Samples::default(),
        settings: rules.settings.clone(),
        features: Vec::new(),
        segments: Vec::new(),
        quality: None,
        violations: Vec::new(),
    }
}
