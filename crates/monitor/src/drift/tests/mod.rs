//! Checks the judgement on data with known distributions.

mod data;
mod scipy;

use data::{Column, Random, Table, cars, column, describe, numbers_of, punch, shuffle_apart, sketch};
use drift_document::{Drift, FeatureDrift, GroundTruth, Outcome, Quality, QualityMetric, Role, SkippedKind};

use super::weighted::Weighted;
use super::*;
use crate::checks;
use crate::documents::constraints::ComparisonMethod;
use crate::documents::statistics::{Detail, InferredType, Text};
use crate::profile::TypeCounts;

fn compare_with(
    before: &Table,
    now: &Table,
    change: impl FnOnce(&mut Constraints, &mut Statistics, &mut Vec<ColumnFacts>),
) -> Drift {
    let (baseline, _) = describe(before);
    let (mut current, mut facts) = describe(now);
    let mut constraints = checks::suggest(&baseline);
    change(&mut constraints, &mut current, &mut facts);
    judge(input(&baseline, &constraints, &current, &facts))
}

fn compare(before: &Table, now: &Table) -> Drift {
    compare_with(before, now, |_, _, _| {})
}

fn input<'a>(
    baseline: &'a Statistics,
    constraints: &'a Constraints,
    current: &'a Statistics,
    facts: &'a [ColumnFacts],
) -> Input<'a> {
    Input {
        baseline,
        constraints,
        current,
        facts,
        predictions: &[],
        skipped: vec![],
        segments: vec![],
        violations: vec![],
        quality: None,
        ground_truth: None,
        settings: default_settings(),
    }
}

fn get<'a>(drift: &'a Drift, name: &str) -> &'a FeatureDrift {
    drift.features.iter().find(|feature| feature.name == name).unwrap()
}

/// Compares random halves of one table `trials` times, which should be found to be the same.
fn halves(trials: u64) -> Vec<(u64, String)> {
    let mut false_alarms = Vec::new();
    for seed in 0..trials {
        let mut random = Random(seed);
        let table = cars(5284, &mut random);
        let (before, now) = shuffle_apart(&table, &mut random);
        let drift = compare(&before, &now);
        if drift.outcome != Outcome::Clean {
            false_alarms.push((seed, drift.reason));
        }
    }
    false_alarms
}

#[test]
fn random_halves_are_clean() {
    assert_eq!(halves(40), []);
}

#[test]
#[ignore = "takes minutes without optimisation; asserts the rate of false alarms"]
fn at_most_one_of_a_thousand_random_halves_is_a_false_alarm() {
    let false_alarms = halves(1000);
    assert!(false_alarms.len() <= 1, "{false_alarms:#?}");
}

/// A table of `rows` rows, and another one with the same distribution.
fn pair(rows: usize, seed: u64) -> (Table, Table) {
    let mut random = Random(seed);
    (cars(rows, &mut random), cars(rows, &mut random))
}

#[test]
fn a_shift_of_half_a_deviation_is_found_and_named_first() {
    for seed in 0..10 {
        let (before, mut now) = pair(2000, seed);
        numbers_of(&mut now, "lat")
            .iter_mut()
            .flatten()
            .for_each(|value| *value += 3.0);
        let drift = compare(&before, &now);
        assert_eq!(drift.outcome, Outcome::Drifted);
        let worst = &drift.features[0];
        assert_eq!((worst.name.as_str(), worst.status), ("lat", Status::Drifted));
        assert!(worst.severity > 1.0 && worst.q_value.unwrap() < 1e-9);
        assert_eq!(
            drift
                .features
                .iter()
                .filter(|feature| feature.status == Status::Drifted)
                .count(),
            1,
            "{}",
            drift.reason
        );
        assert!(drift.reason.starts_with("lat drifted: median 3"), "{}", drift.reason);
    }
}

#[test]
fn a_shift_that_does_not_matter_is_no_drift_however_many_rows() {
    let mut random = Random(1);
    let mut column = |shift: f64| Column::Numbers((0..60_000).map(|_| Some(shift + random.normal())).collect());
    let (before, now) = (vec![("x", column(0.0))], vec![("x", column(0.05))]);
    let drift = compare(&before, &now);
    assert!(
        drift.features[0].q_value.unwrap() <= 0.01,
        "the difference is significant"
    );
    assert_eq!(
        drift.outcome,
        Outcome::Clean,
        "but small: {:?}",
        drift.features[0].distances
    );
}

#[test]
fn thirty_rows_are_too_few() {
    let mut random = Random(1);
    let (before, now) = (cars(2000, &mut random), cars(30, &mut random));
    let drift = compare(&before, &now);
    assert_eq!(drift.outcome, Outcome::InsufficientData);
    assert_eq!(
        drift.reason,
        "too few rows to say: 30 rows now, at least 100 are needed"
    );
    assert_eq!(drift.features.len(), 12);
    for feature in &drift.features {
        assert_eq!((feature.status, feature.p_value), (Status::InsufficientData, None));
        assert!(feature.baseline.is_some() && feature.current.is_some());
    }
    let drift = compare(&now, &before);
    assert_eq!(
        drift.reason,
        "too few rows to say: 30 rows in the baseline, at least 100 are needed"
    );
}

#[test]
fn small_samples_cry_wolf_no_oftener_than_accepted() {
    // Pairs of (baseline, now). The accepted rate is one analysis in a hundred.
    for (before, now) in [(2000, 100), (400, 400)] {
        let alarm = |seed: &u64| {
            let mut random = Random(*seed);
            let (before, now) = (cars(before, &mut random), cars(now, &mut random));
            compare(&before, &now).outcome != Outcome::Clean
        };
        let alarms: Vec<u64> = (0..100).filter(alarm).collect();
        assert!(alarms.len() <= 1, "{alarms:?}");
    }
}

#[test]
fn p_values_are_small_no_oftener_than_they_say() {
    let (mut tests, mut small) = (0.0, 0.0);
    for seed in 100..180 {
        let (before, now) = pair(500, seed);
        for feature in compare(&before, &now).features {
            tests += 1.0;
            small += f64::from(u8::from(feature.p_value.unwrap() < 0.1));
        }
    }
    assert!(small / tests < 0.1, "{small} of {tests}");
}

#[test]
fn a_new_category_is_found() {
    let (before, mut now) = pair(2000, 5);
    let mut random = Random(6);
    let Column::Texts(values) = column(&mut now, "fuel") else {
        panic!()
    };
    values
        .iter_mut()
        .flatten()
        .filter(|_| random.chance(0.1))
        .for_each(|value| *value = "hydrogen".to_owned());
    let drift = compare(&before, &now);
    let worst = &drift.features[0];
    assert_eq!((worst.name.as_str(), worst.status), ("fuel", Status::Drifted));
    assert!(drift.reason.contains("fuel"), "{}", drift.reason);
    assert!(
        worst
            .distances
            .iter()
            .any(|d| d.metric == Metric::NewCategories && d.value > d.threshold)
    );
    assert!(
        worst
            .current
            .as_ref()
            .unwrap()
            .categories
            .iter()
            .any(|category| category.value == "hydrogen")
    );
    assert!(drift.reason.contains("hydrogen"), "{}", drift.reason);
}

#[test]
fn a_new_category_is_found_by_the_domain_where_counts_are_lost() {
    let (before, now) = pair(2000, 5);
    let drift = compare_with(&before, &now, |_, current, facts| {
        let index = current
            .features
            .iter()
            .position(|feature| feature.name == "fuel")
            .unwrap();
        let Detail::Text(text) = &mut current.features[index].detail else {
            panic!()
        };
        text.categories = None;
        facts[index].in_domain = Some(current.features[index].present * 8 / 10);
    });
    let fuel = get(&drift, "fuel");
    assert_eq!(
        (fuel.status, fuel.decisive),
        (Status::Drifted, Some(Metric::NewCategories))
    );
    assert!(fuel.severity > 3.0);
}

#[test]
fn missing_values_are_found() {
    let mut random = Random(8);
    let column = |share: f64, random: &mut Random| {
        let mut column = Column::Numbers((0..2000).map(|_| Some(random.normal())).collect());
        punch(&mut column, share, random);
        column
    };
    let before = vec![("x", column(0.02, &mut random)), ("y", column(0.02, &mut random))];
    let now = vec![("x", column(0.2, &mut random)), ("y", column(0.02, &mut random))];
    let drift = compare(&before, &now);
    assert_eq!(
        (drift.features[0].name.as_str(), drift.features[0].decisive),
        ("x", Some(Metric::Missing))
    );
    assert!(
        drift.reason.starts_with("x drifted: missing values "),
        "{}",
        drift.reason
    );
    assert!(drift.reason.ends_with("(threshold 5 %)"), "{}", drift.reason);
    assert_eq!(get(&drift, "y").status, Status::Clean);
    // The missing values disappearing is drift, too.
    assert_eq!(compare(&now, &before).features[0].status, Status::Drifted);
}

#[test]
fn a_column_that_is_almost_all_missing_now_is_judged_by_that() {
    let mut random = Random(8);
    let before: Table = vec![("x", Column::Numbers((0..1000).map(|_| Some(random.normal())).collect()))];
    let mut now = before.clone();
    numbers_of(&mut now, "x")[10..].fill(None);
    let drift = compare(&before, &now);
    assert_eq!(
        (drift.features[0].status, drift.features[0].decisive),
        (Status::Drifted, Some(Metric::Missing))
    );
    // If the values were missing from the start, too few are left to decide more.
    let drift = compare(&now, &now.clone());
    assert_eq!(drift.features[0].status, Status::InsufficientData);
    assert_eq!(drift.outcome, Outcome::Clean);
    assert!(
        drift.reason.ends_with("1 column has too few values to say"),
        "{}",
        drift.reason
    );
}

#[test]
fn values_of_another_type_are_found_and_the_numbers_still_compared() {
    let (before, now) = pair(2000, 9);
    let drift = compare_with(&before, &now, |_, current, facts| {
        let feature = &mut current.features[0];
        let Detail::Numeric(numbers) = feature.detail.clone() else {
            panic!()
        };
        feature.inferred_type = InferredType::String;
        feature.detail = Detail::Text(Text {
            distinct_count: 1500,
            categories: None,
        });
        let words = feature.present / 20;
        facts[0].types = TypeCounts {
            integral: feature.present - words,
            text: words,
            ..TypeCounts::default()
        };
        facts[0].numbers = Some(numbers);
    });
    let price = &drift.features[0];
    assert_eq!((price.name.as_str(), price.decisive), ("price", Some(Metric::Type)));
    assert!(price.distances.iter().any(|distance| distance.metric == Metric::Psi));
    assert_eq!(
        drift.reason,
        "price drifted: 5 % of the values are not Integral (threshold 1 %)"
    );
}

#[test]
fn words_that_become_numbers_are_found() {
    let (before, mut now) = pair(2000, 9);
    *column(&mut now, "fuel") = Column::Numbers((0..2000).map(|i| Some(f64::from(i % 6))).collect());
    let drift = compare(&before, &now);
    assert_eq!(
        (drift.features[0].name.as_str(), drift.features[0].decisive),
        ("fuel", Some(Metric::Type))
    );
    assert_eq!(drift.reason, "fuel drifted: words have become numbers (threshold 1 %)");
}

#[test]
fn enormous_values_in_some_rows_are_found() {
    let (before, mut now) = pair(2000, 10);
    numbers_of(&mut now, "lat")
        .iter_mut()
        .flatten()
        .step_by(50)
        .for_each(|value| *value *= 1e6);
    let drift = compare(&before, &now);
    assert_eq!(
        (drift.features[0].name.as_str(), drift.features[0].decisive),
        ("lat", Some(Metric::Wasserstein))
    );
}

#[test]
fn a_single_enormous_value_is_no_drift() {
    let (before, mut now) = pair(2000, 11);
    numbers_of(&mut now, "lat")[7] = Some(3e9);
    let drift = compare(&before, &now);
    let lat = get(&drift, "lat");
    assert_eq!(drift.outcome, Outcome::Clean, "{}", drift.reason);
    let summary = lat.current.as_ref().unwrap().numbers.as_ref().unwrap();
    assert!(*summary.histogram.edges.last().unwrap() < 100.0);
}

#[test]
fn a_running_number_is_judged_and_recognised() {
    let column = |from: u32| Column::Numbers((from..from + 1000).map(|i| Some(f64::from(i))).collect());
    let drift = compare(&vec![("row_id", column(0))], &vec![("row_id", column(1000))]);
    assert_eq!(drift.outcome, Outcome::Drifted);
    assert!(
        drift
            .reason
            .ends_with("row_id looks like a running number or a time: if so, switch it off in the constraints")
    );
    let drift = compare_with(
        &vec![("row_id", column(0))],
        &vec![("row_id", column(1000))],
        |constraints, _, _| {
            constraints.features[0].overrides.evaluate = Some(false);
        },
    );
    assert_eq!(
        (drift.outcome, drift.features[0].status),
        (Outcome::Clean, Status::Disabled)
    );
    assert_eq!(
        drift.reason,
        "nothing was compared: no column is switched on; 1000 rows against 1000 of the baseline"
    );
}

#[test]
fn missing_columns_are_drift_and_extra_ones_are_not() {
    let (before, now) = pair(500, 12);
    let mut fewer = now.clone();
    fewer.remove(0);
    let drift = compare(&before, &fewer);
    assert_eq!(
        (drift.outcome, drift.features[0].status),
        (Outcome::Drifted, Status::MissingColumn)
    );
    assert_eq!(drift.reason, "the column price is missing");
    assert!(drift.features[0].current.is_none());
    let mut fewer_before = before.clone();
    fewer_before.remove(0);
    let drift = compare(&fewer_before, &now);
    let extra = drift.features.last().unwrap();
    assert_eq!(
        (drift.outcome, extra.status, extra.name.as_str()),
        (Outcome::Clean, Status::ExtraColumn, "price")
    );
    assert!(extra.baseline.is_none());
}

#[test]
fn the_constraints_have_a_say() {
    let mut random = Random(13);
    let mut column = |shift: f64| Column::Numbers((0..3000).map(|_| Some(shift + random.normal())).collect());
    let (before, now) = (vec![("x", column(0.0))], vec![("x", column(1.0))]);
    let l_infinity = |drift: &Drift| {
        drift.features[0]
            .distances
            .iter()
            .find(|distance| distance.metric == Metric::LInfinity)
            .map(|d| d.threshold)
    };
    let robust = l_infinity(&compare(&before, &now)).unwrap();
    assert!((robust - (0.1 + 1.8 * (2.0_f64 / 3000.0).sqrt())).abs() < 1e-12);
    let simple = compare_with(&before, &now, |constraints, _, _| {
        constraints.monitoring.distribution.method = ComparisonMethod::Simple;
        constraints.features[0].overrides.threshold = Some(0.3);
    });
    assert_eq!(l_infinity(&simple), Some(0.3));
    let off = compare_with(&before, &now, |constraints, _, _| {
        constraints.features[0].overrides.compare = Some(false);
    });
    assert_eq!(off.outcome, Outcome::Clean);
    let forgotten = compare_with(&before, &now, |constraints, _, _| {
        constraints.features[0].name = "y".to_owned();
    });
    assert_eq!(forgotten.features[0].status, Status::Disabled);
    let none = compare_with(&before, &now, |constraints, _, _| constraints.features.clear());
    assert_eq!(none.outcome, Outcome::Drifted);
}

#[test]
fn predictions_are_known_and_thresholds_can_be_left_out() {
    let (before, now) = pair(500, 14);
    let ((baseline, _), (current, facts)) = (describe(&before), describe(&now));
    let constraints = checks::suggest(&baseline);
    let predictions = ["price".to_owned()];
    let mut input = input(&baseline, &constraints, &current, &facts);
    input.predictions = &predictions;
    input
        .settings
        .thresholds
        .retain(|threshold| threshold.metric == Metric::Psi);
    input.skipped = vec![
        Skipped {
            reason: "too few fields".to_owned(),
            kind: SkippedKind::Record,
            rows: 3,
            first: "a.csv:7".to_owned(),
        },
        Skipped {
            reason: "not UTF-8".to_owned(),
            kind: SkippedKind::Record,
            rows: 4,
            first: "a.csv:9".to_owned(),
        },
    ];
    let drift = judge(input);
    assert_eq!(drift.samples.skipped_rows, 7);
    for feature in &drift.features {
        let role = if feature.name == "price" {
            Role::Prediction
        } else {
            Role::Feature
        };
        assert_eq!(feature.role, role);
        assert!(feature.distances.iter().all(|distance| distance.metric == Metric::Psi));
    }
}

#[test]
fn a_segment_that_drifts_is_drift() {
    let mut random = Random(15);
    let mut column =
        |rows: usize, shift: f64| Column::Numbers((0..rows).map(|_| Some(shift + random.normal())).collect());
    // In the whole data, the segment's shift does not show.
    let whole = (vec![("x", column(20_000, 0.0))], vec![("x", column(20_000, 0.0))]);
    let mut segment = |value: &str, rows: usize, shift: f64, known: bool| {
        let before = describe(&vec![("x", column(rows, 0.0))]).0;
        let (current, facts) = describe(&vec![("x", column(rows, shift))]);
        let (column, value) = ("country".to_owned(), value.to_owned());
        Segment {
            column,
            value,
            baseline: known.then_some(before),
            current,
            facts,
        }
    };
    let segments = vec![
        segment("FR", 800, 0.0, true),
        segment("DE", 800, 1.0, true),
        segment("LU", 40, 1.0, true),
        segment("US", 800, 0.0, false),
    ];
    let ((baseline, _), (current, facts)) = (describe(&whole.0), describe(&whole.1));
    let constraints = checks::suggest(&baseline);
    let mut input = input(&baseline, &constraints, &current, &facts);
    input.segments = segments;
    let drift = judge(input);
    let outcomes: Vec<_> = drift
        .segments
        .iter()
        .map(|segment| (segment.value.as_str(), segment.outcome))
        .collect();
    assert_eq!(
        outcomes,
        [
            ("FR", Outcome::Clean),
            ("DE", Outcome::Drifted),
            ("LU", Outcome::InsufficientData),
            ("US", Outcome::InsufficientData)
        ]
    );
    assert_eq!(drift.outcome, Outcome::Drifted);
    assert!(
        drift.reason.starts_with("where country is DE, x drifted: median "),
        "{}",
        drift.reason
    );
}

#[test]
fn quality_is_drift_too() {
    let nothing = Statistics::default();
    let current = Statistics {
        rows: 500,
        features: vec![],
    };
    let constraints = checks::suggest(&nothing);
    let of = |violated: bool, joined: u64| {
        let mut input = input(&nothing, &constraints, &current, &[]);
        input.quality = Some(Quality {
            problem_type: "Regression".to_owned(),
            metrics: vec![QualityMetric {
                name: "rmse".to_owned(),
                value: Some(5210.4),
                threshold: Some(4000.0),
                comparison_operator: Some("GreaterThanThreshold".to_owned()),
                violated,
                drifted: violated,
            }],
        });
        input.ground_truth = Some(GroundTruth {
            records: 500,
            joined,
            joined_share: joined as f64 / 500.0,
        });
        judge(input)
    };
    let drift = of(true, 400);
    assert_eq!(
        (drift.outcome, drift.reason.as_str()),
        (Outcome::Drifted, "rmse is 5210, above 4000")
    );
    assert_eq!(of(false, 400).outcome, Outcome::Clean);
    let drift = of(true, 40);
    assert_eq!(drift.outcome, Outcome::InsufficientData);
    assert_eq!(
        drift.reason,
        "too few rows to say: 40 rows with ground truth, at least 100 are needed"
    );
}

#[test]
fn the_order_is_that_of_severity() {
    let (before, mut now) = pair(3000, 16);
    numbers_of(&mut now, "lat")
        .iter_mut()
        .flatten()
        .for_each(|value| *value += 60.0);
    numbers_of(&mut now, "score")
        .iter_mut()
        .flatten()
        .for_each(|value| *value += 0.2);
    numbers_of(&mut now, "year")[20..].fill(None);
    now.retain(|column| column.0 != "state");
    let drift = compare(&before, &now);
    let order: Vec<_> = drift
        .features
        .iter()
        .map(|feature| (rank(feature), feature.severity))
        .collect();
    assert!(
        order
            .windows(2)
            .all(|pair| pair[0].0 < pair[1].0 || pair[0].0 == pair[1].0 && pair[0].1 >= pair[1].1)
    );
    let names: Vec<_> = drift
        .features
        .iter()
        .take(4)
        .map(|feature| feature.name.as_str())
        .collect();
    assert_eq!(names[..2], ["state", "lat"]);
    assert!(
        drift
            .reason
            .starts_with("the column state is missing; lat drifted most: median 3"),
        "{}",
        drift.reason
    );
    assert!(drift.reason.ends_with("; 2 more"), "{}", drift.reason);
}

#[test]
fn the_document_survives_json_whatever_the_numbers() {
    let extreme = [f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, 0.0, -0.0, 5e-324];
    let column = |values: &[f64]| Column::Numbers((0..400).map(|i| Some(values[i % values.len()])).collect());
    for (a, b) in [
        (&extreme[..], &extreme[..3]),
        (&extreme[4..], &extreme[..]),
        (&[7.0][..], &[8.0][..]),
    ] {
        let drift = compare(&vec![("x", column(a))], &vec![("x", column(b))]);
        let text = serde_json::to_string(&drift).unwrap();
        assert_eq!(serde_json::from_str::<Drift>(&text).unwrap(), drift, "{text}");
        assert_eq!(drift.outcome, Outcome::Drifted);
    }
}

#[test]
fn nothing_against_nothing_is_too_few_rows() {
    let drift = compare(&vec![], &vec![]);
    assert_eq!(drift.outcome, Outcome::InsufficientData);
    assert!(drift.features.is_empty());
}

#[test]
fn the_error_of_a_sketch_is_within_what_is_allowed_for() {
    let mut random = Random(17);
    let rows = 60_000;
    let ascending: Vec<f64> = (0..rows).map(f64::from).collect();
    let mut shuffled = ascending.clone();
    for index in (1..shuffled.len()).rev() {
        shuffled.swap(index, (random.next() % (index as u64 + 1)) as usize);
    }
    let descending: Vec<f64> = ascending.iter().rev().copied().collect();
    for values in [ascending, shuffled, descending] {
        let sketch = Weighted::of_levels(&sketch(&values));
        assert_eq!(sketch.total(), u64::from(rows as u32));
        assert!(sketch.distinct() < 10_000);
        for rank in (0..rows).step_by(50) {
            let share = f64::from(rank + 1) / f64::from(rows);
            let error = (sketch.share_up_to(f64::from(rank)) - share).abs();
            assert!(error <= sketch.rank_error(), "{error} at {share}");
        }
    }
}
