//! Metrics for the classes 0 and 1.
//!
//! For `auc` and the curves, every distinct score is kept with its exact counts, about 110 bytes each: memory grows
//! with the number of distinct scores, not with the rows.

use hashbrown::HashMap;

use super::ProblemType;
use super::metrics::{Confusion, Curves, Metric, Metrics, f_measure, share, with_deviations};
use super::sampling::{MINIMUM_ROWS, SAMPLES, samples_with, standard_deviation};

/// All rows, and each sample.
const SETS: usize = 1 + SAMPLES;

/// Counts of predicted and true classes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Binary {
    /// `[set][label][prediction]`.
    tallies: [Tally; SETS],
    /// Counts by the bits of the score: `[set][label]`.
    scores: HashMap<u64, [[u64; 2]; SETS]>,
    /// Number of rows without a score: if there are any, there are no curves.
    unscored: u64,
}

type Tally = [[u64; 2]; 2];

impl Binary {
    /// Adds a row; `row` is a number that stays the same for this row. A score must be finite.
    pub fn push(&mut self, row: u64, prediction: bool, score: Option<f64>, truth: bool) {
        let (prediction, truth) = (usize::from(prediction), usize::from(truth));
        let mut is_in = [true; SETS];
        is_in[1..].copy_from_slice(&samples_with(row));
        for (tally, is_in) in self.tallies.iter_mut().zip(is_in) {
            tally[truth][prediction] += u64::from(is_in);
        }
        let Some(score) = score else {
            self.unscored += 1;
            return;
        };
        // Positive and negative zero are the same score.
        let counts = self.scores.entry((score + 0.0).to_bits()).or_default();
        for (counts, is_in) in counts.iter_mut().zip(is_in) {
            counts[truth] += u64::from(is_in);
        }
    }

    /// Adds the rows of `other`.
    pub fn merge(&mut self, other: Self) {
        for (ours, theirs) in self
            .tallies
            .iter_mut()
            .flatten()
            .flatten()
            .zip(other.tallies.as_flattened().as_flattened())
        {
            *ours += theirs;
        }
        for (score, theirs) in other.scores {
            let ours = self.scores.entry(score).or_default();
            for (ours, theirs) in ours.iter_mut().flatten().zip(theirs.as_flattened()) {
                *ours += theirs;
            }
        }
        self.unscored += other.unscored;
    }

    /// Number of rows.
    pub fn rows(&self) -> u64 {
        self.tallies[0].as_flattened().iter().sum()
    }

    /// The metrics; NaN if there are no rows. `auc` and the curves are left out unless every row has a score.
    ///
    /// A share of nothing is 0, as in the contract: `recall` without positives, `precision` without predicted
    /// positives.
    pub fn metrics(&self) -> Metrics {
        let rows = self.rows();
        let samples = std::array::from_fn(|sample| values(self.tallies[1 + sample]));
        let mut metrics = with_deviations(rows, values(self.tallies[0]), samples);
        let mut curves = None;
        if rows > 0 && self.unscored == 0 {
            let scores = self.descending();
            let (all, auc) = curve(scores.iter().map(|counts| counts[0]));
            let spread = if rows < MINIMUM_ROWS {
                f64::NAN
            } else {
                let of = |sample: usize| curve(scores.iter().map(|counts| counts[1 + sample])).1;
                standard_deviation(rows, std::array::from_fn(of))
            };
            // In the contract, `auc` comes after the rates.
            metrics.insert(
                RATES_END,
                Metric {
                    name: "auc",
                    value: auc,
                    standard_deviation: spread,
                    standard_error: None,
                },
            );
            curves = Some(all);
        }
        Metrics {
            problem: ProblemType::BinaryClassification,
            rows,
            values: metrics,
            confusion: Some(Confusion {
                classes: vec!["0".to_owned(), "1".to_owned()],
                counts: self.tallies[0].iter().map(|row| row.to_vec()).collect(),
            }),
            curves,
        }
    }

    /// The counts of every score, from the highest score to the lowest.
    fn descending(&self) -> Vec<[[u64; 2]; SETS]> {
        let mut scores: Vec<_> = self
            .scores
            .iter()
            .map(|(bits, counts)| (f64::from_bits(*bits), *counts))
            .collect();
        scores.sort_unstable_by(|left, right| right.0.total_cmp(&left.0));
        scores.into_iter().map(|(_, counts)| counts).collect()
    }
}

/// Number of values before `auc`.
const RATES_END: usize = 10;

/// Metrics of a confusion matrix. As in the contract, the rates are complements of one another, to the last digit.
fn values([[tn, fp], [fn_, tp]]: Tally) -> [(&'static str, f64); 16] {
    let rows = tn + fp + fn_ + tp;
    let (negatives, positives) = (tn + fp, fn_ + tp);
    // Without rows, every metric is undefined.
    let known = |value: f64| if rows == 0 { f64::NAN } else { value };
    let recall = share(tp, positives);
    let precision = share(tp, tp + fp);
    let false_positive_rate = share(fp, negatives);
    // The best constant is the more frequent class; 0 if both are equally frequent.
    let (constant_recall, constant_precision) = if positives > negatives {
        (1.0, share(positives, rows))
    } else {
        (0.0, 0.0)
    };
    [
        ("recall", recall),
        ("precision", precision),
        ("accuracy", share(tp + tn, rows)),
        ("recall_best_constant_classifier", constant_recall),
        ("precision_best_constant_classifier", constant_precision),
        (
            "accuracy_best_constant_classifier",
            share(positives.max(negatives), rows),
        ),
        ("true_positive_rate", recall),
        ("true_negative_rate", 1.0 - false_positive_rate),
        ("false_positive_rate", false_positive_rate),
        ("false_negative_rate", 1.0 - recall),
        ("f0_5", f_measure(0.5, precision, recall)),
        ("f1", f_measure(1.0, precision, recall)),
        ("f2", f_measure(2.0, precision, recall)),
        (
            "f0_5_best_constant_classifier",
            f_measure(0.5, constant_precision, constant_recall),
        ),
        (
            "f1_best_constant_classifier",
            f_measure(1.0, constant_precision, constant_recall),
        ),
        (
            "f2_best_constant_classifier",
            f_measure(2.0, constant_precision, constant_recall),
        ),
    ]
    .map(|(name, value)| (name, known(value)))
}

/// The curves, and the area under the first, by trapezoids over all points. Takes `[negatives, positives]` of every
/// score, from the highest to the lowest. If there is only one class, the area is that of the contract: 1 for
/// positives, 0 for negatives.
fn curve(scores: impl Iterator<Item = [u64; 2]> + Clone) -> (Curves, f64) {
    let [negatives, positives] = scores
        .clone()
        .fold([0, 0], |sum, one| [sum[0] + one[0], sum[1] + one[1]]);
    let mut curves = Curves {
        false_positive_rates: vec![0.0],
        true_positive_rates: vec![0.0],
        precisions: Vec::new(),
        recalls: Vec::new(),
    };
    let (mut fp, mut tp) = (0, 0);
    // A score may be absent from a sample.
    for [negative, positive] in scores.filter(|counts| *counts != [0, 0]) {
        fp += negative;
        tp += positive;
        let (precision, recall) = (share(tp, tp + fp), share(tp, positives));
        if curves.precisions.is_empty() {
            curves.precisions.push(precision);
            curves.recalls.push(0.0);
        }
        curves.false_positive_rates.push(share(fp, negatives));
        curves.true_positive_rates.push(recall);
        curves.precisions.push(precision);
        curves.recalls.push(recall);
    }
    curves.false_positive_rates.push(1.0);
    curves.true_positive_rates.push(1.0);
    let (x, y) = (&curves.false_positive_rates, &curves.true_positive_rates);
    let area = x
        .windows(2)
        .zip(y.windows(2))
        .map(|(x, y)| (x[1] - x[0]) * (y[1] + y[0]) / 2.0)
        .sum();
    (curves, area)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tally(tn: u64, fp: u64, fn_: u64, tp: u64) -> Vec<(&'static str, f64)> {
        values([[tn, fp], [fn_, tp]]).to_vec()
    }

    fn value(values: &[(&str, f64)], name: &str) -> f64 {
        values.iter().find(|(other, _)| *other == name).unwrap().1
    }

    #[test]
    fn the_digits_are_those_of_the_contract() {
        let values = tally(1, 2, 0, 1);
        for (name, expected) in [
            ("recall", 1.0),
            ("precision", 0.333_333_333_333_333_3),
            ("accuracy", 0.5),
            ("true_negative_rate", 0.333_333_333_333_333_37),
            ("false_positive_rate", 0.666_666_666_666_666_6),
            ("false_negative_rate", 0.0),
            ("f0_5", 0.384_615_384_615_384_6),
            ("f1", 0.5),
            ("f2", 0.714_285_714_285_714_3),
        ] {
            assert_eq!(value(&values, name), expected, "{name}");
        }
    }

    #[test]
    fn the_best_constant_is_the_more_frequent_class() {
        let mostly_positive = tally(1, 0, 1, 2);
        assert_eq!(value(&mostly_positive, "accuracy_best_constant_classifier"), 0.75);
        assert_eq!(value(&mostly_positive, "precision_best_constant_classifier"), 0.75);
        assert_eq!(value(&mostly_positive, "recall_best_constant_classifier"), 1.0);
        let mostly_negative = tally(2, 1, 0, 1);
        assert_eq!(value(&mostly_negative, "accuracy_best_constant_classifier"), 0.75);
        for name in ["precision", "recall", "f0_5", "f1", "f2"] {
            assert_eq!(
                value(&mostly_negative, &format!("{name}_best_constant_classifier")),
                0.0
            );
        }
    }

    #[test]
    fn curves_have_a_point_at_every_score_and_both_ends() {
        let mut binary = Binary::default();
        for (row, score) in [0.9, 0.8, 0.7, 0.6].into_iter().enumerate() {
            binary.push(row as u64, true, Some(score), true);
        }
        let metrics = binary.metrics();
        let curves = metrics.curves.clone().unwrap();
        assert_eq!(curves.false_positive_rates, [0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(curves.true_positive_rates, [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]);
        assert_eq!(curves.precisions, [1.0; 5]);
        assert_eq!(curves.recalls, [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(metrics.get("auc").unwrap().value, 1.0);
        let names: Vec<_> = metrics.values.iter().map(|metric| metric.name).collect();
        assert_eq!(&names[9..12], ["false_negative_rate", "auc", "f0_5"]);
    }

    #[test]
    fn without_all_scores_there_is_no_area() {
        let mut binary = Binary::default();
        binary.push(0, true, Some(0.7), true);
        binary.push(1, false, None, true);
        let metrics = binary.metrics();
        assert_eq!((metrics.get("auc"), &metrics.curves), (None, &None));
        assert_eq!(metrics.get("recall").unwrap().value, 0.5);
        assert!(
            Binary::default()
                .metrics()
                .values
                .iter()
                .all(|metric| metric.value.is_nan())
        );
    }

    #[test]
    fn both_zeros_are_one_score() {
        let mut binary = Binary::default();
        binary.push(0, false, Some(0.0), true);
        binary.push(1, false, Some(-0.0), false);
        assert_eq!(binary.metrics().get("auc").unwrap().value, 0.5);
    }

    proptest! {
        #[test]
        fn parts_give_the_whole_and_the_matrix_holds_every_row(
            rows in prop::collection::vec((0_u8..12, any::<bool>()), 1..500),
            cut in 0.0..1.0_f64,
        ) {
            let cut = (rows.len() as f64 * cut) as usize;
            let (mut whole, mut left, mut right) = (Binary::default(), Binary::default(), Binary::default());
            for (row, (score, truth)) in rows.iter().enumerate() {
                let score = f64::from(*score) / 11.0;
                for part in [&mut whole, if row < cut { &mut left } else { &mut right }] {
                    part.push(row as u64, score >= 0.5, Some(score), *truth);
                }
            }
            left.merge(right);
            prop_assert_eq!(&left, &whole);
            let metrics = whole.metrics();
            let counted: u64 = metrics.confusion.unwrap().counts.iter().flatten().sum();
            prop_assert_eq!(counted, rows.len() as u64);
            for metric in &metrics.values {
                prop_assert!((0.0..=1.0).contains(&metric.value), "{:?}", metric);
            }
        }
    }
}
