//! One column in baseline and current data: its distances, p-value and status.
//!
//! Results that depend on all columns (the q-values) are added by [`Judged::settle`].

use drift_document::{Distance, FeatureDrift, Metric, Role, Settings, Status};

use super::distance::{Cells, JENSEN_SHANNON_CELLS, PSI_CELLS};
use super::numbers::{self, union};
use super::significance::{any_share, homogeneity, kolmogorov_smirnov, outside, pooled, proportions};
use super::summary::{Common, finite, summary};
use super::weighted::{ACCIDENT, Weighted};
use crate::documents::constraints::{ComparisonMethod, Constraints, Monitoring};
use crate::documents::statistics::{Category, Detail, Feature, InferredType, Numeric};
use crate::profile::{ColumnFacts, TypeCounts};

/// Minimum number of values on either side for comparing distributions.
const MINIMUM_VALUES: u64 = 30;

/// The criteria for every feature.
pub struct Judge<'a> {
    pub constraints: &'a Constraints,
    pub predictions: &'a [String],
    pub settings: &'a Settings,
}

/// A feature whose status may still depend on the other features.
pub struct Judged {
    pub drift: FeatureDrift,
    /// Whether it drifted and looks like a running number or a time, which always differs because it only moves on.
    pub running: bool,
}

impl Judged {
    /// Adds the q-value: a feature that is clean so far, or has too few values for some of its distances, has drifted
    /// if the difference is both significant and large.
    pub fn settle(&mut self, q_value: Option<f64>, rate: f64) {
        let drift = &mut self.drift;
        drift.q_value = q_value;
        let open = matches!(drift.status, Status::Clean | Status::InsufficientData);
        if open && drift.severity >= 1.0 && q_value.is_some_and(|q| q <= rate) {
            drift.status = Status::Drifted;
        }
        self.running &= drift.status == Status::Drifted;
    }
}

impl Judge<'_> {
    /// Judges a column of the baseline. `enough` says whether both sides have the minimum number of rows.
    pub fn feature(
        &self,
        before: &Feature,
        now: Option<&Feature>,
        facts: Option<&ColumnFacts>,
        enough: bool,
    ) -> Judged {
        let monitoring = self.monitoring(&before.name);
        let common = Common::of(
            numbers::weighted(before, None),
            now.and_then(|now| numbers::weighted(now, facts)),
        );
        let mut drift = self.blank(&before.name);
        let categories = (
            numbers::categories(before).unwrap_or(&[]),
            now.and_then(numbers::categories).unwrap_or(&[]),
        );
        drift.baseline = Some(summary(
            before,
            numbers::of(before, None),
            common.baseline.as_ref(),
            &common,
            categories,
        ));
        drift.current = now.map(|now| {
            summary(
                now,
                numbers::of(now, facts),
                common.current.as_ref(),
                &common,
                categories,
            )
        });

        let mut findings = Findings {
            judge: self,
            distances: Vec::new(),
            p_values: Vec::new(),
        };
        let mut running = false;
        match (now, monitoring) {
            (_, None) => drift.status = Status::Disabled,
            (None, Some(_)) => {
                drift.status = Status::MissingColumn;
                findings.distance(Metric::Missing, 1.0, None);
            }
            (Some(_), Some(_)) if !enough => drift.status = Status::InsufficientData,
            (Some(now), Some(monitoring)) => {
                findings.missing(before, now);
                findings.types(before, now, facts);
                let few = before.present.min(now.present) < MINIMUM_VALUES;
                if few && before.present.max(now.present) > 0 {
                    drift.status = Status::InsufficientData;
                }
                let whole =
                    before.inferred_type == InferredType::Integral && now.inferred_type == InferredType::Integral;
                if !few && monitoring.distribution.compare {
                    findings.new_categories(before, now, facts);
                    findings.categories(categories, &monitoring);
                    if let (Some(a), Some(b)) = (&common.baseline, &common.current)
                        && let (Some(before), Some(now)) = (numbers::of(before, None), numbers::of(now, facts))
                    {
                        findings.numbers((before, a), (now, b), &monitoring);
                        running = whole && looks_running((before, a), (now, b));
                    }
                }
            }
        }
        drift.p_value = findings.p_value();
        drift.distances = findings.distances;
        if let Some((metric, severity)) = decisive(&drift.distances) {
            (drift.decisive, drift.severity) = (Some(metric), severity);
        }
        Judged { drift, running }
    }

    /// Judges a column that the baseline lacks.
    pub fn extra(&self, now: &Feature, facts: Option<&ColumnFacts>) -> Judged {
        let common = Common::of(None, numbers::weighted(now, facts));
        let categories = (&[][..], numbers::categories(now).unwrap_or(&[]));
        let mut drift = self.blank(&now.name);
        drift.status = Status::ExtraColumn;
        drift.current = Some(summary(
            now,
            numbers::of(now, facts),
            common.current.as_ref(),
            &common,
            categories,
        ));
        Judged { drift, running: false }
    }

    fn blank(&self, name: &str) -> FeatureDrift {
        let prediction = self.predictions.iter().any(|prediction| prediction == name);
        FeatureDrift {
            name: name.to_owned(),
            role: if prediction { Role::Prediction } else { Role::Feature },
            status: Status::Clean,
            decisive: None,
            severity: 0.0,
            distances: Vec::new(),
            p_value: None,
            q_value: None,
            baseline: None,
            current: None,
        }
    }

    /// The settings from the constraints for a column; `None` if they disable it.
    fn monitoring(&self, name: &str) -> Option<Monitoring> {
        let asked = self.constraints.features.iter().find(|asked| asked.name == name);
        let monitoring = match asked {
            Some(asked) => self.constraints.monitoring_of(asked),
            None if self.constraints.features.is_empty() => self.constraints.monitoring.clone(),
            None => return None,
        };
        monitoring.evaluate.then_some(monitoring)
    }
}

/// The distance with the largest ratio to its threshold. A threshold of 0 is reached by any difference.
fn decisive(distances: &[Distance]) -> Option<(Metric, f64)> {
    let ratio = |distance: &Distance| match (distance.value, distance.threshold) {
        (0.0, _) => 0.0,
        (value, threshold) => finite(value / threshold),
    };
    let first_largest = |best: Option<(Metric, f64)>, distance: &Distance| {
        let here = (distance.metric, ratio(distance));
        Some(best.filter(|best| best.1 >= here.1).unwrap_or(here))
    };
    distances.iter().fold(None, first_largest)
}

/// Whether all values on both sides are distinct whole numbers, and the current ones are larger than all of the
/// baseline's.
fn looks_running(before: (&Numeric, &Weighted), now: (&Numeric, &Weighted)) -> bool {
    let items = |weighted: &Weighted, numeric: &Numeric| {
        let items: usize = numeric.levels.iter().map(Vec::len).sum();
        weighted.distinct() == items
    };
    now.0.min > before.0.max && items(before.1, before.0) && items(now.1, now.0)
}

/// Collects the distances and p-values of one feature.
struct Findings<'a> {
    judge: &'a Judge<'a>,
    distances: Vec<Distance>,
    p_values: Vec<f64>,
}

impl Findings<'_> {
    /// The smallest of the p-values, corrected for their number (Bonferroni).
    fn p_value(&self) -> Option<f64> {
        let smallest = self.p_values.iter().copied().reduce(f64::min)?;
        Some((smallest * self.p_values.len() as f64).min(1.0))
    }

    /// Adds a distance if the settings have a threshold for it; `raise` converts that into the threshold that applies
    /// here.
    fn distance(&mut self, metric: Metric, value: f64, raise: Option<&dyn Fn(f64) -> f64>) {
        let threshold = self
            .judge
            .settings
            .thresholds
            .iter()
            .find(|threshold| threshold.metric == metric);
        if let Some(threshold) = threshold {
            let threshold = raise.map_or(threshold.value, |raise| raise(threshold.value));
            self.distances.push(Distance {
                metric,
                value: finite(value),
                threshold: finite(threshold),
            });
        }
    }

    fn numbers(&mut self, before: (&Numeric, &Weighted), now: (&Numeric, &Weighted), monitoring: &Monitoring) {
        let (a, b) = (before.1, now.1);
        let (n, m) = (a.total() as f64, b.total() as f64);
        let psi = Cells::of_numbers(a, b, PSI_CELLS);
        let finer = Cells::of_numbers(a, b, JENSEN_SHANNON_CELLS);
        self.cells(&psi, &finer, n, m);

        let scale = before.0.std_dev;
        if scale.is_finite() && scale > 0.0 {
            let transport = a.transport(b);
            let raise = |threshold| threshold + transport.accident / scale;
            self.distance(Metric::Wasserstein, transport.distance / scale, Some(&raise));
        }

        let largest = a.max_difference(b);
        self.largest(
            largest,
            monitoring.distribution.threshold,
            monitoring.distribution.method,
            n,
            m,
        );

        // The possible error of the sketches is not counted as a difference of the data.
        let proven = (largest - a.rank_error() - b.rank_error()).max(0.0);
        self.p_values.push(kolmogorov_smirnov(proven, n, m));
        // A few enormous values hardly change any rank, but lie outside the range.
        let (below, above) = b.outside(before.0.min, before.0.max);
        self.p_values.push(outside(below, above, n, m));
    }

    fn categories(&mut self, (before, now): (&[Category], &[Category]), monitoring: &Monitoring) {
        if before.is_empty() || now.is_empty() {
            return;
        }
        let counts = union(before, now);
        let (n, m) = counts
            .iter()
            .fold((0.0, 0.0), |(n, m), cell| (n + cell.0 as f64, m + cell.1 as f64));
        // With one or two values in a cell, PSI and Jensen–Shannon would mostly show chance.
        let cells = Cells::of_counts(&pooled(&counts));
        self.cells(&cells, &cells, n, m);
        let distribution = &monitoring.distribution;
        let threshold = distribution.categorical_threshold.unwrap_or(distribution.threshold);
        let largest = Cells::of_counts(&counts).max_difference();
        self.largest(largest, threshold, distribution.method, n, m);
        self.p_values.extend(homogeneity(&counts));
        self.p_values.extend(any_share(&counts));
    }

    fn cells(&mut self, psi: &Cells, finer: &Cells, n: f64, m: f64) {
        let spread = 1.0 / n + 1.0 / m;
        let raise = |threshold| threshold + psi.psi_by_accident(spread);
        self.distance(Metric::Psi, psi.psi(), Some(&raise));
        let raise = |threshold: f64| threshold.hypot(finer.divergence_by_accident(spread).sqrt());
        self.distance(Metric::JensenShannon, finer.jensen_shannon(), Some(&raise));
    }

    /// Adds L∞ with the threshold of the constraints, raised if their method corrects the distance for small samples.
    fn largest(&mut self, value: f64, threshold: f64, method: ComparisonMethod, n: f64, m: f64) {
        let raised = match method {
            ComparisonMethod::Simple => threshold,
            ComparisonMethod::Robust => threshold + ACCIDENT * (1.0 / n + 1.0 / m).sqrt(),
        };
        self.distance(Metric::LInfinity, value, Some(&|_| raised));
    }

    fn missing(&mut self, before: &Feature, now: &Feature) {
        let (n, m) = (before.present + before.missing, now.present + now.missing);
        if n > 0 && m > 0 {
            let difference = now.missing as f64 / m as f64 - before.missing as f64 / n as f64;
            self.distance(Metric::Missing, difference.abs(), None);
            self.p_values.push(proportions(before.missing, n, now.missing, m));
        }
    }

    /// Values whose type differs from the baseline's. A numeric baseline has no such values. A text column may contain
    /// numbers as well, so only the loss of all words counts, if the baseline says how many there were.
    fn types(&mut self, before: &Feature, now: &Feature, facts: Option<&ColumnFacts>) {
        if before.present == 0 || now.present == 0 {
            return;
        }
        let (wrong_before, wrong_now) = match before.inferred_type {
            InferredType::Integral | InferredType::Fractional => {
                let Some(facts) = facts else { return };
                (0, wrong_values(before.inferred_type, &facts.types).min(now.present))
            }
            InferredType::String => {
                let Some(before) = numbers::categories(before) else {
                    return;
                };
                let words = before.iter().filter(|category| category.value.parse::<f64>().is_err());
                let words = words.map(|category| category.count).sum::<u64>();
                let lost = matches!(now.detail, Detail::Numeric(_));
                (if lost { words } else { 0 }, 0)
            }
            InferredType::Unknown => return,
        };
        let share = if wrong_before > 0 {
            wrong_before as f64 / before.present as f64
        } else {
            wrong_now as f64 / now.present as f64
        };
        self.distance(Metric::Type, share, None);
        self.p_values.push(proportions(
            wrong_before.min(before.present),
            before.present,
            wrong_now,
            now.present,
        ));
    }

    /// Values that don't occur in the baseline: found by its counts or, if one side has too many different values to
    /// count, by the domain of the constraints.
    ///
    /// Rare categories come and go by chance. The baseline's share of values that occur only once is an estimate of how
    /// often the next value is a new one (Good–Turing), and only what exceeds it is evidence against chance.
    fn new_categories(&mut self, before: &Feature, now: &Feature, facts: Option<&ColumnFacts>) {
        let Detail::Text(_) = before.detail else { return };
        let counted = numbers::categories(before);
        let unseen = match (counted, numbers::categories(now)) {
            (Some(before), Some(after)) => union(before, after)
                .iter()
                .filter(|cell| cell.0 == 0)
                .map(|cell| cell.1)
                .sum(),
            _ => match facts.and_then(|facts| facts.in_domain) {
                Some(in_domain) => now.present.saturating_sub(in_domain),
                None => return,
            },
        };
        let once = counted
            .unwrap_or(&[])
            .iter()
            .filter(|category| category.count == 1)
            .count() as u64
            + 1;
        let once = once.min(before.present);
        let (n, m) = (before.present as f64, now.present as f64);
        let expected = once as f64 / n;
        let accident = ACCIDENT * (expected * (1.0 - expected) * (1.0 / n + 1.0 / m)).sqrt();
        let raise = |threshold| threshold + expected + accident;
        self.distance(Metric::NewCategories, unseen as f64 / m, Some(&raise));
        let more = unseen as f64 / m > expected;
        self.p_values.push(if more {
            proportions(once, before.present, unseen, now.present)
        } else {
            1.0
        });
    }
}

/// Number of values that are not of a numeric type; whole numbers also count as fractional.
fn wrong_values(inferred_type: InferredType, types: &TypeCounts) -> u64 {
    let words = types.boolean + types.text;
    if inferred_type == InferredType::Integral {
        words + types.fractional
    } else {
        words
    }
}
