//! Metrics for several classes, weighted by the frequency of each class in the ground truth.
//!
//! Memory grows with the number of pairs of classes that occur, not with the rows.

use std::cmp::Ordering;

use hashbrown::HashMap;

use super::ProblemType;
use super::metrics::{Confusion, Metrics, f_measure, share, with_deviations};
use super::sampling::{SAMPLES, samples_with};

/// Maximum number of classes. With more, the matrix of all pairs would be neither readable nor small.
pub const MAXIMUM_CLASSES: usize = 1_000;

/// All rows, and each sample.
const SETS: usize = 1 + SAMPLES;

/// Counts of predicted and true classes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Multiclass {
    numbers: HashMap<String, usize>,
    /// Counts by label and prediction.
    cells: HashMap<(usize, usize), [u64; SETS]>,
}

/// There are more than [`MAXIMUM_CLASSES`] classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "more than {MAXIMUM_CLASSES} classes: check that the attributes name classes, and that problem_type should not be \
     Regression"
)]
pub struct TooManyClasses;

impl Multiclass {
    /// Adds a row; `row` is a number that stays the same for this row. Classes are texts; `1.0` is the class `1`.
    ///
    /// # Errors
    ///
    /// More than [`MAXIMUM_CLASSES`]; the row is then left out.
    pub fn push(&mut self, row: u64, prediction: &str, truth: &str) -> Result<(), TooManyClasses> {
        let cell = (self.number(class(truth))?, self.number(class(prediction))?);
        let counts = self.cells.entry(cell).or_default();
        counts[0] += 1;
        for (count, is_in) in counts[1..].iter_mut().zip(samples_with(row)) {
            *count += u64::from(is_in);
        }
        Ok(())
    }

    /// Adds the rows of `other`.
    ///
    /// # Errors
    ///
    /// More than [`MAXIMUM_CLASSES`]; `self` is then unchanged.
    pub fn merge(&mut self, other: Self) -> Result<(), TooManyClasses> {
        let new = other
            .numbers
            .keys()
            .filter(|class| !self.numbers.contains_key(*class))
            .count();
        if self.numbers.len() + new > MAXIMUM_CLASSES {
            return Err(TooManyClasses);
        }
        let mut ours = vec![0; other.numbers.len()];
        for (class, theirs) in &other.numbers {
            ours[*theirs] = self.number(class)?;
        }
        for ((label, prediction), theirs) in other.cells {
            let counts = self.cells.entry((ours[label], ours[prediction])).or_default();
            for (count, theirs) in counts.iter_mut().zip(theirs) {
                *count += theirs;
            }
        }
        Ok(())
    }

    fn number(&mut self, class: &str) -> Result<usize, TooManyClasses> {
        if let Some(number) = self.numbers.get(class) {
            return Ok(*number);
        }
        let number = self.numbers.len();
        if number == MAXIMUM_CLASSES {
            return Err(TooManyClasses);
        }
        self.numbers.insert(class.to_owned(), number);
        Ok(number)
    }

    /// Number of rows.
    pub fn rows(&self) -> u64 {
        self.cells.values().map(|counts| counts[0]).sum()
    }

    /// The metrics; NaN if there are no rows. The precision of a class that is never predicted is 0.
    pub fn metrics(&self) -> Metrics {
        let mut classes: Vec<(&String, usize)> = self.numbers.iter().map(|(class, number)| (class, *number)).collect();
        classes.sort_unstable_by(|left, right| by_value(left.0, right.0));
        let mut place = vec![0; classes.len()];
        for (index, (_, number)) in classes.iter().enumerate() {
            place[*number] = index;
        }
        let mut totals = vec![vec![Totals::default(); classes.len()]; SETS];
        let mut counts = vec![vec![0; classes.len()]; classes.len()];
        for ((label, prediction), sets) in &self.cells {
            let (label, prediction) = (place[*label], place[*prediction]);
            counts[label][prediction] = sets[0];
            for (totals, count) in totals.iter_mut().zip(sets) {
                totals[label].occurs += count;
                totals[prediction].predicted += count;
                if label == prediction {
                    totals[label].hit += count;
                }
            }
        }
        let rows = self.rows();
        let samples = std::array::from_fn(|sample| values(&totals[1 + sample]));
        Metrics {
            problem: ProblemType::MulticlassClassification,
            rows,
            values: with_deviations(rows, values(&totals[0]), samples),
            confusion: Some(Confusion {
                classes: classes.into_iter().map(|(class, _)| class.clone()).collect(),
                counts,
            }),
            curves: None,
        }
    }
}

/// Counts of one class.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    occurs: u64,
    predicted: u64,
    hit: u64,
}

fn values(classes: &[Totals]) -> [(&'static str, f64); 12] {
    let rows: u64 = classes.iter().map(|class| class.occurs).sum();
    // Multiplied first, then divided, as in the contract: the order affects the last digit.
    let weighted = |metric: &dyn Fn(&Totals) -> f64| -> f64 {
        let sum = classes
            .iter()
            .map(|class| metric(class) * class.occurs as f64 / rows as f64)
            .sum();
        if rows == 0 { f64::NAN } else { sum }
    };
    let recall = |class: &Totals| share(class.hit, class.occurs);
    let precision = |class: &Totals| share(class.hit, class.predicted);
    let f = |beta: f64| weighted(&|class| f_measure(beta, precision(class), recall(class)));
    // The best constant is the most frequent class; all other classes contribute nothing.
    let most = classes.iter().map(|class| class.occurs).max().unwrap_or(0);
    let constant = if rows == 0 { f64::NAN } else { share(most, rows) };
    let constant_weighted = |metric: f64| metric * most as f64 / rows as f64;
    let constant_f = |beta: f64| constant_weighted(f_measure(beta, constant, 1.0));
    let hits: u64 = classes.iter().map(|class| class.hit).sum();
    [
        ("accuracy", if rows == 0 { f64::NAN } else { share(hits, rows) }),
        ("weighted_recall", weighted(&recall)),
        ("weighted_precision", weighted(&precision)),
        ("weighted_f0_5", f(0.5)),
        ("weighted_f1", f(1.0)),
        ("weighted_f2", f(2.0)),
        ("accuracy_best_constant_classifier", constant),
        ("weighted_recall_best_constant_classifier", constant_weighted(1.0)),
        (
            "weighted_precision_best_constant_classifier",
            constant_weighted(constant),
        ),
        ("weighted_f0_5_best_constant_classifier", constant_f(0.5)),
        ("weighted_f1_best_constant_classifier", constant_f(1.0)),
        ("weighted_f2_best_constant_classifier", constant_f(2.0)),
    ]
}

/// A model may write `1.0` for the class that the ground truth calls `1`.
fn class(text: &str) -> &str {
    let text = text.trim();
    match text.split_once('.') {
        Some((whole, fraction))
            if fraction.bytes().all(|byte| byte == b'0')
                && !whole.trim_start_matches('-').is_empty()
                && whole.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            whole
        }
        _ => text,
    }
}

/// Orders numbers by value, followed by texts.
fn by_value(left: &str, right: &str) -> Ordering {
    match (left.parse::<f64>(), right.parse::<f64>()) {
        (Ok(a), Ok(b)) => a.total_cmp(&b).then_with(|| left.cmp(right)),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => left.cmp(right),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_digits_are_those_of_the_contract() {
        let mut multiclass = Multiclass::default();
        let mut row = 0;
        for (label, prediction, count) in [("0", "0", 1180), ("0", "1", 510), ("1", "0", 268), ("1", "1", 138)] {
            for _ in 0..count {
                multiclass.push(row, prediction, label).unwrap();
                row += 1;
            }
        }
        let metrics = multiclass.metrics();
        for (name, expected) in [
            ("accuracy", 0.628_816_793_893_129_7),
            ("weighted_recall", 0.628_816_793_893_129_7),
            ("weighted_precision", 0.698_317_226_962_950_5),
            ("weighted_f0_5", 0.680_394_731_717_877_1),
            ("weighted_f1", 0.657_116_234_666_490_4),
            ("weighted_f2", 0.638_402_435_439_460_1),
        ] {
            assert_eq!(metrics.get(name).unwrap().value, expected, "{name}");
        }
        assert_eq!(metrics.confusion.unwrap().counts, [[1180, 510], [268, 138]]);
        assert!(
            metrics
                .values
                .iter()
                .all(|metric| (0.0..0.02).contains(&metric.standard_deviation))
        );
    }

    #[test]
    fn classes_are_in_the_order_of_numbers_then_texts() {
        let mut multiclass = Multiclass::default();
        for (row, (prediction, truth)) in [("10", "2.0"), ("b", "a"), (" 2 ", "-1.0")].into_iter().enumerate() {
            multiclass.push(row as u64, prediction, truth).unwrap();
        }
        let confusion = multiclass.metrics().confusion.unwrap();
        assert_eq!(confusion.classes, ["-1", "2", "10", "a", "b"]);
        assert_eq!(confusion.counts[0], [0, 1, 0, 0, 0]);
    }

    #[test]
    fn a_number_is_not_taken_for_a_class() {
        let mut multiclass = Multiclass::default();
        for row in 0..MAXIMUM_CLASSES as u64 {
            multiclass.push(row, &row.to_string(), "0").unwrap();
        }
        assert_eq!(multiclass.push(1_000, "x", "0"), Err(TooManyClasses));
        let mut other = Multiclass::default();
        other.push(0, "x", "x").unwrap();
        let before = multiclass.clone();
        assert_eq!(multiclass.merge(other), Err(TooManyClasses));
        assert_eq!(multiclass, before);
        assert!(
            Multiclass::default()
                .metrics()
                .values
                .iter()
                .all(|metric| metric.value.is_nan())
        );
    }

    proptest! {
        #[test]
        fn parts_give_the_whole_and_the_matrix_holds_every_row(
            rows in prop::collection::vec((0_u8..6, 0_u8..5), 1..500),
            cut in 0.0..1.0_f64,
        ) {
            let cut = (rows.len() as f64 * cut) as usize;
            let mut parts = [Multiclass::default(), Multiclass::default()];
            let mut whole = Multiclass::default();
            for (row, (prediction, truth)) in rows.iter().enumerate() {
                let (prediction, truth) = (prediction.to_string(), truth.to_string());
                whole.push(row as u64, &prediction, &truth).unwrap();
                parts[usize::from(row >= cut)].push(row as u64, &prediction, &truth).unwrap();
            }
            let [mut left, right] = parts;
            left.merge(right).unwrap();
            let (left, whole) = (left.metrics(), whole.metrics());
            for (left, whole) in left.values.iter().zip(&whole.values) {
                prop_assert_eq!((left.name, left.value), (whole.name, whole.value));
                prop_assert!((0.0..=1.0 + 1e-12).contains(&whole.value));
            }
            let counted: u64 = whole.confusion.iter().flat_map(|confusion| confusion.counts.iter().flatten()).sum();
            prop_assert_eq!(counted, rows.len() as u64);
            prop_assert_eq!(left.confusion, whole.confusion);
        }
    }
}
