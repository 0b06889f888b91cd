//! Tests whether the target has changed: compares the labels of two holdouts by the analyzer's rule.

use contracts::Drift;
use contracts::drift::Outcome;
use monitor::documents::Statistics;
use monitor::documents::statistics::{Detail, Feature, InferredType, Numeric};
use monitor::{analysis, checks, drift};

/// This many labels are enough. If there are more, the sample is halved as often as necessary.
const MOST: usize = 100_000;

/// A sample of a holdout's labels, chosen by the hash of their rows: the same rows give the same sample in any order.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    kept: Vec<(u64, f64)>,
    /// How many leading bits of the hash must be zero for a row to be kept.
    zeros: u32,
}

impl Labels {
    /// Adds the label of a row.
    pub fn add(&mut self, row: u64, label: f64) {
        if row.leading_zeros() >= self.zeros {
            self.kept.push((row, label));
        }
        while self.kept.len() > MOST && self.zeros < u64::BITS {
            self.zeros += 1;
            let zeros = self.zeros;
            self.kept.retain(|(row, _)| row.leading_zeros() >= zeros);
        }
    }

    /// How the labels have drifted from `self` to `now`, in a sentence; `None` if they have not, or if there are too
    /// few rows.
    pub fn drift_to(&self, now: &Self) -> Option<String> {
        let (before, now) = (self.statistics(), now.statistics());
        let found = analysis::between(&before, &checks::suggest(&before), &now, drift::default_settings());
        (found.outcome == Outcome::Drifted).then(|| shift(&found))
    }

    fn statistics(&self) -> Statistics {
        let mut values: Vec<f64> = self.kept.iter().map(|(_, label)| *label).collect();
        // In a fixed order, so that sums do not depend on the order of the rows.
        values.sort_by(f64::total_cmp);
        // Exact: there are at most MOST.
        #[allow(clippy::cast_precision_loss)]
        let count = values.len() as f64;
        let sum: f64 = values.iter().sum();
        let mean = sum / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let rows = values.len() as u64;
        let numeric = Numeric {
            mean,
            sum,
            std_dev: (squares / count).sqrt(),
            min: values.first().copied().unwrap_or(f64::NAN),
            max: values.last().copied().unwrap_or(f64::NAN),
            buckets: Vec::new(),
            levels: vec![values],
        };
        Statistics {
            rows,
            features: vec![Feature {
                name: "target".to_owned(),
                inferred_type: InferredType::Fractional,
                present: rows,
                missing: 0,
                detail: Detail::Numeric(numeric),
            }],
        }
    }
}

fn shift(found: &Drift) -> String {
    let numbers = |summary: &Option<contracts::drift::Summary>| {
        let numbers = summary.as_ref().and_then(|summary| summary.numbers.as_ref());
        numbers.map_or_else(String::new, |it| {
            let median = it.quantiles.iter().find(|quantile| quantile.share == 0.5);
            let median = median.map_or(f64::NAN, |quantile| quantile.value);
            format!(
                "median {}, from {} to {}",
                crate::rules::number(median),
                crate::rules::number(it.min),
                crate::rules::number(it.max)
            )
        })
    };
    let feature = found.features.first();
    let of = |side: fn(&contracts::drift::FeatureDrift) -> &Option<contracts::drift::Summary>| {
        feature.map_or_else(String::new, |feature| numbers(side(feature)))
    };
    format!(
        "the target has drifted from the champion's holdout ({}) to this one ({})",
        of(|it| &it.baseline),
        of(|it| &it.current)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A hash of a number.
    fn hash(number: u64) -> u64 {
        let mixed = (number.wrapping_add(1)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    #[allow(clippy::cast_precision_loss)]
    fn price(number: u64) -> f64 {
        let share = ((hash(number) >> 11) as f64 / (1_u64 << 53) as f64).max(1e-9);
        (10_000.0 * (-share.ln()).sqrt()).round()
    }

    fn of(numbers: impl Iterator<Item = u64>) -> Labels {
        let mut labels = Labels::default();
        numbers.for_each(|number| labels.add(hash(number), price(number)));
        labels
    }

    #[test]
    fn two_halves_of_the_same_data_never_differ() {
        for (rows, rounds) in [(200, 200), (2_000, 50), (60_000, 3)] {
            for round in 0..rounds {
                let first = round * rows;
                let half = |odd: u64| of((first..first + rows).filter(move |number| hash(*number ^ 0xff) % 2 == odd));
                assert_eq!(half(0).drift_to(&half(1)), None, "{rows} rows, round {round}");
            }
        }
    }

    #[test]
    fn a_narrow_slice_differs_and_the_numbers_are_told() {
        let all = of(0..2_000);
        let cheap = of((0..5_000).filter(|number| price(*number) < 4_000.0));
        let told = all.drift_to(&cheap).unwrap();
        assert!(
            told.starts_with("the target has drifted from the champion's holdout (median "),
            "{told}"
        );
        assert!(all.drift_to(&of((0..2_000).map(|number| number % 90))).is_some());
        // Too few to say anything.
        assert_eq!(all.drift_to(&of(0..60)), None);
        assert_eq!(Labels::default().drift_to(&all), None);
    }

    #[test]
    fn a_sample_is_bounded_and_the_same_in_any_order() {
        let rows = 3 * MOST as u64;
        let (one, other) = (of(0..rows), of((0..rows).rev()));
        assert!(
            one.kept.len() <= MOST && one.kept.len() > MOST / 4,
            "{}",
            one.kept.len()
        );
        let sorted = |labels: &Labels| {
            let mut kept = labels.kept.clone();
            kept.sort_by_key(|(row, _)| *row);
            kept
        };
        assert_eq!(sorted(&one), sorted(&other));
    }
}
